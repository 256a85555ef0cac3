// What the scenario comes to, from the RFCs and by hand: no runtime is the measure of another.

export const expectedFrame = {
  unmasked: '810548656c6c6f', // RFC 6455 §5.7
  masked: '818537fa213d7f9f4d5158', // RFC 6455 §5.7
  header: { fin: true, rsv: 0, opcode: 2, payloadLength: 65536, byteLength: 10 },
  maskedInTwo: '0103010705070503090b090f0d0f0d0b111311',
  events: [
    'head 1 true',
    'payload 48 0 false',
    'payload 65 1 false',
    'payload 6c 2 false',
    'payload 6c 3 false',
    'payload 6f 4 true',
    'frame end',
    'message end',
  ],
  wholes: ['1 414243', '9 58', '2 44', '0 45'],
  utf8: [true, false, true, true, false],
  close: { code: 1001, reason: 'grüße' },
  violation: 'WS_ERR_UNEXPECTED_MASK',
};

export const expectedHandshake = {
  accept: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', // RFC 6455 §1.3
  path: '/chat',
  status: 101,
  answer: 'chat',
  stranger: 'WS_ERR_INVALID_ACCEPT',
  keyLength: 24,
  keysDiffer: true,
  extensions: 'permessage-deflate; client_max_window_bits, x; y=1',
  violation: 'WS_ERR_INVALID_EXTENSIONS',
  origin: true,
};

export const expectedNegotiation = {
  offers: [
    ['server_no_context_takeover=true', 'server_max_window_bits=10', 'client_max_window_bits=true'],
    ['client_max_window_bits=true'],
  ],
  response: ['client_no_context_takeover=true', 'server_max_window_bits=9', 'client_max_window_bits=12'],
  agreed: {
    serverNoContextTakeover: false,
    clientNoContextTakeover: true,
    serverMaxWindowBits: 9,
    clientMaxWindowBits: 12,
  },
  none: undefined,
  violation: 'WS_ERR_INVALID_DEFLATE_PARAMETERS',
  window: '00' + '0001' + 'fffe' + '01020102', // RFC 1951 §3.2.4
};

export const expectedProtocol = [
  'server message 6772c3bcc39f65 true',
  'server ping 99',
  'server message 010203 false',
  'client pong 99',
  'server closing 1001 bye local',
  'client closing 1001 bye remote',
  'server ends',
  'client closed 1001',
  'server closeDone 1001',
  'server ends',
  'server closing 1002  local',
  'server failure WS_ERR_EXPECTED_MASK',
  'deadline 1100',
  'server destroys',
];
