import { isIPv4, isIPv6 } from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { addressKey } from '../src/index.js';
import { parseIpv4, parseIpv6, plainAddress } from '../src/ip-address.js';

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::FFFF:c000:207', '192.0.2.7'],
  ['0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'],
  ['64:ff9b::192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:1:2::', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['::192.0.2.7', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['1.2.3', '1.2.3'],
  ['__proto__', '__proto__'],
  ['::g', '::g'],
  ['', ''],
])('clients of %j are told by %j', (address, key) => {
  expect(addressKey(address)).toBe(key);
});

const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });

test('an address is the same in every spelling, and a /64 is one client', () => {
  const spellings = fc.tuple(groups, groups, fc.boolean(), fc.boolean(), fc.boolean());
  fc.assert(
    fc.property(spellings, ([address, others, upper, padded, dotted]) => {
      const parts = address.map((group) => group.toString(16).padStart(padded ? 4 : 1, '0'));
      if (dotted)
        parts.splice(6, 2, [address[6]! >> 8, address[6]! & 255, address[7]! >> 8, address[7]! & 255].join('.'));
      const text = parts.join(':');
      expect(parseIpv6(upper ? text.toUpperCase() : text)).toEqual(address);
      const neighbour = [...address.slice(0, 4), ...others.slice(4)].map((group) => group.toString(16)).join(':');
      const inside = ['0,0,0,0,0,65535', '100,65435,0,0,0,0'].includes(address.slice(0, 6).join());
      if (!inside) expect(addressKey(text)).toBe(addressKey(neighbour));
      const stranger = [...address.slice(0, 3), address[3]! ^ 1, ...address.slice(4)].map((group) =>
        group.toString(16),
      );
      expect(addressKey(stranger.join(':'))).not.toBe(addressKey(text));
    }),
  );
});

const nearly = fc.array(
  fc.constantFrom('::', ':', '.', '0', '1', 'f', 'ff', '255', '256', '00', '12345', 'g', '-', ' '),
  {
    maxLength: 18,
  },
);

test('what is an address is what Node takes for one', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        nearly.map((parts) => parts.join('')),
        fc.string(),
      ),
      (text) => {
        expect([text, parseIpv4(text) !== undefined]).toEqual([text, isIPv4(text)]);
        if (!text.includes('%')) expect([text, parseIpv6(text) !== undefined]).toEqual([text, isIPv6(text)]);
        const plain = plainAddress(text);
        if (plain !== undefined) expect(isIPv4(plain) || isIPv6(plain)).toBe(true);
      },
    ),
    { numRuns: 1000 },
  );
});
