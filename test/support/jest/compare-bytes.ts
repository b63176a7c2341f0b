/**
 * Compares bytes as bytes in every `toEqual`. jest takes typed arrays for iterables and compares element by
 * element, which costs some microseconds each: a second for 150 KB.
 */
import { expect } from '@jest/globals';

const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

expect.addEqualityTesters([
  (one: unknown, other: unknown): true | undefined => {
    if (!ArrayBuffer.isView(one) || !ArrayBuffer.isView(other)) return undefined;
    // Whatever is not the same is left to jest, which says where it differs.
    const isSame =
      Object.getPrototypeOf(one) === Object.getPrototypeOf(other) &&
      bytesOf(one).equals(bytesOf(other));
    return isSame ? true : undefined;
  },
]);
