// The globals this package assumes beside ECMAScript itself. Every runtime that matters has them; the compiler knows no others here.

interface TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}
declare var TextEncoder: { new (): TextEncoder };

interface TextDecoder {
  decode(bytes: Uint8Array): string;
}
declare var TextDecoder: { new (label: 'utf-8', options: { readonly ignoreBOM: boolean }): TextDecoder };
