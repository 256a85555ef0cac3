export type { ReceiveLimits } from './assembler.js';
export type { CloseFrame, CloseInfo, Initiator } from './close-info.js';
export type { Extension, Failure, Flow, IncomingPiece, OutgoingFragment } from './extension.js';
export type { FrameRecord } from './frame-log.js';
export type { MessageHead, MessageSink } from './message-sink.js';
export type { ProtocolHandlers, ProtocolOptions } from './options.js';
export { Protocol } from './protocol.js';
export type { State, Trigger } from './state.js';
export type { DeferredPayload, SendCallback, Transport } from './transport.js';
