/** Headers of very many elements, as bytes: built one by one they would take the time of the test. */

/** Private elements in explicit VR little endian, all of one value, tags ascending. */
export function manyElements(count: number, vr: string, value: string): Buffer {
  const size = 8 + value.length;
  const bytes = Buffer.alloc(count * size);
  for (let index = 0; index < count; index++) {
    const at = index * size;
    bytes.writeUInt16LE(0x0031 + 2 * Math.floor(index / 0xf000), at);
    bytes.writeUInt16LE(0x1000 + (index % 0xf000), at + 2);
    bytes.write(vr, at + 4, 'latin1');
    bytes.writeUInt16LE(value.length, at + 6);
    bytes.write(value, at + 8, 'latin1');
  }
  return bytes;
}

/** Elements whose dates are none: each of them fails validation. */
export function wrongDates(count: number): Buffer {
  return manyElements(count, 'DA', 'no date!');
}
