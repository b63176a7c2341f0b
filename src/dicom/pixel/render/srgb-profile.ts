/** The ICC profile of sRGB (IEC 61966-2-1), made from its definition (ICC.1:2010, version 4.3). */

/** Fixed point of 16 bits before and after the point. */
function fixed(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, at) => bytes.writeInt32BE(Math.round(value * 65_536), at * 4));
  return bytes;
}

/** An element: its type signature, four reserved bytes, content, and padding to four bytes. */
function typed(signature: string, content: Uint8Array): Buffer {
  const bytes = Buffer.alloc(Math.ceil((8 + content.length) / 4) * 4);
  bytes.write(signature, 0, 'latin1');
  bytes.set(content, 8);
  return bytes;
}

/** One string in one language. */
function text(value: string): Buffer {
  const characters = Buffer.from(value, 'utf16le').swap16();
  const head = Buffer.alloc(20);
  head.writeUInt32BE(1, 0);
  head.writeUInt32BE(12, 4);
  head.write('enUS', 8, 'latin1');
  head.writeUInt32BE(characters.length, 12);
  head.writeUInt32BE(28, 16);
  return typed('mluc', Buffer.concat([head, characters]));
}

const whitePoint = [0.9642, 1, 0.8249] as const;
/** Type 3: (a·x + b)^g from d on, c·x below. */
const curve = typed(
  'para',
  Buffer.concat([
    Buffer.from([0, 3, 0, 0]),
    fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
  ]),
);

/** The primaries are those of sRGB adapted to the white of the profile connection space, D50. */
const elements: readonly (readonly [tag: string, element: Buffer])[] = [
  ['desc', text('sRGB')],
  ['cprt', text('No copyright')],
  ['wtpt', typed('XYZ ', fixed(...whitePoint))],
  ['rXYZ', typed('XYZ ', fixed(0.43607, 0.22249, 0.01392))],
  ['gXYZ', typed('XYZ ', fixed(0.38515, 0.71687, 0.09708))],
  ['bXYZ', typed('XYZ ', fixed(0.14307, 0.06061, 0.7141))],
  ['rTRC', curve],
  ['gTRC', curve],
  ['bTRC', curve],
];

function build(): Buffer {
  const table = Buffer.alloc(4 + elements.length * 12);
  table.writeUInt32BE(elements.length, 0);
  const header = Buffer.alloc(128);
  let offset = header.length + table.length;
  elements.forEach(([tag, element], at) => {
    table.write(tag, 4 + at * 12, 'latin1');
    table.writeUInt32BE(offset, 8 + at * 12);
    table.writeUInt32BE(element.length, 12 + at * 12);
    offset += element.length;
  });
  header.writeUInt32BE(offset, 0);
  header.writeUInt32BE(0x04300000, 8);
  header.write('mntrRGB XYZ ', 12, 'latin1');
  header.writeUInt16BE(2010, 24);
  header.writeUInt16BE(1, 26);
  header.writeUInt16BE(1, 28);
  header.write('acsp', 36, 'latin1');
  fixed(...whitePoint).copy(header, 68);
  return Buffer.concat([header, table, ...elements.map(([, element]) => element)]);
}

/** The profile as it is put into pictures. */
export const srgbProfile: Uint8Array = build();
