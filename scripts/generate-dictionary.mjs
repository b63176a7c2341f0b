/**
 * Writes src/dicom/dictionary-data.ts from public data dictionaries:
 *
 *   node scripts/generate-dictionary.mjs <file>...
 *
 * It reads `_dicom_dict.py` of pydicom (Debian package python3-pydicom) and `generate/dictionary.mjs`
 * of dcmjs (npm package dcmjs). The first file that knows a tag decides; later files add to it, so
 * name the most careful dictionary first. Only standard attributes are taken: no private ones, no
 * DICONDE, no DICOS. `xs` is written for `US or SS`, which depends on PixelRepresentation.
 */
import { readFileSync, writeFileSync } from 'node:fs';

/** How each kind of file spells an entry: tag, VR, keyword. */
const formats = [
  {
    name: '_dicom_dict.py',
    entries: (text) =>
      Array.from(
        text.matchAll(
          /^ {4}(?:0x|')([0-9A-Fax]{8})'?: \('(.*?)', '.*?', ".*?", '.*?', '(\w+)'\)/gm,
        ),
        ([, tag, vr, keyword]) => ({ tag, vr, keyword }),
      ),
  },
  {
    name: 'dictionary.mjs',
    entries: (text) =>
      Array.from(
        text.matchAll(
          /tag: "\((\w{4}),(\w{4})\)",\s+vr: "(\w\w)",\s+name: "([A-Z]\w+)",\s+vm: ".*?",\s+version: "DICOM"/g,
        ),
        ([, group, element, vr, keyword]) => ({ tag: group + element, vr, keyword }),
      ),
  },
];

/** VRs that depend on context, as implicit VR little endian reads them (PS3.5 §A.1). */
const choices = {
  'OB or OW': 'OW',
  'US or OW': 'OW',
  'US or SS or OW': 'OW',
  'US or SS': 'xs',
  lt: 'OW',
  ox: 'OW',
  up: 'UL',
};

const known = new Map();
for (const file of process.argv.slice(2)) {
  const format = formats.find(({ name }) => file.endsWith(name));
  if (format === undefined) throw new Error(`No format is known for ${file}`);
  for (const { tag, vr, keyword } of format.entries(readFileSync(file, 'utf8'))) {
    const code = choices[vr] ?? vr;
    // Items and delimiters have no VR.
    if (known.has(tag) || !/^([A-Z]{2}|xs)$/.test(code)) continue;
    known.set(tag, `${tag}${code}${keyword}`);
  }
}
if (known.size === 0) throw new Error('Name the dictionaries to read.');

const lines = Array.from(known.values()).sort();
writeFileSync(
  new URL('../src/dicom/dictionary-data.ts', import.meta.url),
  `/** The data dictionary of PS3.6. Written by scripts/generate-dictionary.mjs; do not edit. */

/** One attribute a line: tag (x = any digit), VR (xs = US or SS), keyword. */
export const dictionaryLines = \`
${lines.join('\n')}
\`;
`,
);
console.log(`${known.size} attributes`);
