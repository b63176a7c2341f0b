/** What the browser finds: a made-up archive of one of each kind, and files to upload. */
import { buildPart10, element, sampleElements, sampleInstance } from '../support/part10-builder.js';

const root = '1.2.826.0.1.3680043.8.498.77';

/** Studies of the archive, by what is in them. */
export const studies = {
  phantom: `${root}.1`,
  color: `${root}.2`,
  film: `${root}.3`,
  document: `${root}.4`,
  report: `${root}.5`,
  markup: `${root}.6`,
  hebrew: `${root}.7`,
  upload: `${root}.8`,
} as const;

interface Ellipse {
  readonly value: number;
  readonly a: number;
  readonly b: number;
  readonly x: number;
  readonly y: number;
  readonly degrees: number;
}

/** A head after Shepp and Logan (1974), in Hounsfield units: each ellipse adds its value. */
const head: readonly Ellipse[] = [
  { value: 1900, a: 0.69, b: 0.92, x: 0, y: 0, degrees: 0 },
  { value: -870, a: 0.6624, b: 0.874, x: 0, y: -0.0184, degrees: 0 },
  { value: -18, a: 0.11, b: 0.31, x: 0.22, y: 0, degrees: -18 },
  { value: -18, a: 0.16, b: 0.41, x: -0.22, y: 0, degrees: 18 },
  { value: 14, a: 0.21, b: 0.25, x: 0, y: 0.35, degrees: 0 },
  { value: 16, a: 0.046, b: 0.046, x: 0, y: 0.1, degrees: 0 },
  { value: 16, a: 0.046, b: 0.023, x: -0.08, y: -0.605, degrees: 0 },
  { value: 16, a: 0.023, b: 0.046, x: 0.06, y: -0.605, degrees: 0 },
];

function valueAt(x: number, y: number, height: number): number {
  let value = -1000;
  for (const { value: added, a, b, x: cx, y: cy, degrees } of head) {
    const angle = (degrees * Math.PI) / 180;
    const dx = x - cx;
    const dy = y - cy;
    const u = dx * Math.cos(angle) + dy * Math.sin(angle);
    const v = dy * Math.cos(angle) - dx * Math.sin(angle);
    if ((u / (a * height)) ** 2 + (v / (b * height)) ** 2 <= 1) value += added;
  }
  return value;
}

const size = 128;

/** One slice of the head, 16 bits a pixel. */
function slice(position: number): Buffer {
  const bytes = Buffer.alloc(size * size * 2);
  const height = Math.sqrt(1 - (position / 1.2) ** 2);
  for (let row = 0; row < size; row += 1) {
    for (let column = 0; column < size; column += 1) {
      const x = (column / size) * 2 - 1;
      const y = 1 - (row / size) * 2;
      bytes.writeUInt16LE(valueAt(x, y, height) + 1024, (row * size + column) * 2);
    }
  }
  return bytes;
}

const uidsOf = (study: string, at: number) => ({
  study,
  series: `${study}.1`,
  instance: `${study}.1.${at}`,
});

function phantom(at: number, study: string): Buffer {
  return sampleInstance({
    ...uidsOf(study, at),
    overrides: [
      element('00080020', 'DA', '20261103'),
      element('00081030', 'LO', 'Head without contrast'),
      element('0008103E', 'LO', 'Axial 5 mm'),
      element('00100010', 'PN', 'Lindqvist^Astrid'),
      element('00100020', 'LO', 'MRN-204417'),
      element('00180015', 'CS', 'HEAD'),
      element('00200013', 'IS', String(at)),
      element('00200037', 'DS', '1', '0', '0', '0', '1', '0'),
      element('00280010', 'US', size),
      element('00280011', 'US', size),
      element('00280030', 'DS', '1.8', '1.8'),
      element('00281050', 'DS', '40'),
      element('00281051', 'DS', '120'),
    ],
    pixelData: { native: slice((at - 4) / 6) },
  });
}

function painted(frames: number): Buffer {
  const bytes = Buffer.alloc(64 * 64 * 3 * frames);
  for (let at = 0; at < bytes.length / 3; at += 1) {
    const frame = Math.floor(at / 4096);
    const column = at % 64;
    const row = Math.floor(at / 64) % 64;
    const isDot = Math.hypot(column - 32 - frame * 4, row - 32) < 12;
    bytes.set(isDot ? [220, 60, 40] : [20, 40 + column * 2, 60 + row * 2], at * 3);
  }
  return bytes;
}

function color(study: string, frames: number, name: string, description: string): Buffer {
  const base = sampleElements({
    ...uidsOf(study, 1),
    omit: ['00281052', '00281053', '00280030'],
    overrides: [
      element('00080016', 'UI', '1.2.840.10008.5.1.4.1.1.3.1'),
      element('00080060', 'CS', 'US'),
      element('00080020', 'DA', '20261021'),
      element('00081030', 'LO', description),
      element('00100010', 'PN', name),
      element('00280002', 'US', 3),
      element('00280004', 'CS', 'RGB'),
      element('00280006', 'US', 0),
      element('00280010', 'US', 64),
      element('00280011', 'US', 64),
      element('00280100', 'US', 8),
      element('00280101', 'US', 8),
      element('00280102', 'US', 7),
      ...(frames > 1
        ? [element('00280008', 'IS', String(frames)), element('00181063', 'DS', '50')]
        : []),
    ],
  });
  return buildPart10({ elements: base, pixelData: { native: painted(frames), vr: 'OB' } });
}

/** The smallest PDF that shows a line of text. */
const pdf = Buffer.from(
  `%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 100]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj
4 0 obj<</Length 41>>stream
BT /F 18 Tf 20 40 Td (A letter) Tj ET
endstream endobj
5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj
trailer<</Root 1 0 R>>
`,
);

const pixelTags = [
  '00280002',
  '00280004',
  '00280010',
  '00280011',
  '00280030',
  '00280100',
  '00280101',
  '00280102',
  '00280103',
  '00281052',
  '00281053',
];

function document(study: string): Buffer {
  return sampleInstance({
    ...uidsOf(study, 1),
    omit: pixelTags,
    pixelData: null,
    overrides: [
      element('00080016', 'UI', '1.2.840.10008.5.1.4.1.1.104.1'),
      element('00080060', 'CS', 'DOC'),
      element('00080020', 'DA', '20260912'),
      element('00081030', 'LO', 'Referral letter'),
      element('00100010', 'PN', 'Okafor^Chidi'),
      element('00420010', 'ST', 'Letter'),
      {
        tag: '00420011',
        vr: 'OB',
        bytes: pdf.length % 2 === 0 ? pdf : Buffer.concat([pdf, Buffer.alloc(1)]),
      },
      element('00420012', 'LO', 'application/pdf'),
    ],
  });
}

function report(study: string): Buffer {
  return sampleInstance({
    ...uidsOf(study, 1),
    omit: pixelTags,
    pixelData: null,
    overrides: [
      element('00080016', 'UI', '1.2.840.10008.5.1.4.1.1.88.11'),
      element('00080060', 'CS', 'SR'),
      element('00080020', 'DA', '20260805'),
      element('00081030', 'LO', 'Chest report'),
      element('00100010', 'PN', 'Moreau^Élise'),
      element('0040A040', 'CS', 'CONTAINER'),
      element('0040A050', 'CS', 'SEPARATE'),
      element('0040A491', 'CS', 'COMPLETE'),
      element('0040A493', 'CS', 'UNVERIFIED'),
      {
        tag: '0040A730',
        vr: 'SQ',
        items: [
          [
            element('0040A010', 'CS', 'CONTAINS'),
            element('0040A040', 'CS', 'TEXT'),
            {
              tag: '0040A043',
              vr: 'SQ',
              items: [
                [
                  element('00080100', 'SH', '121071'),
                  element('00080102', 'SH', 'DCM'),
                  element('00080104', 'LO', 'Finding'),
                ],
              ],
            },
            element('0040A160', 'UT', 'No pneumothorax.'),
          ],
        ],
      },
    ],
  });
}

function named(study: string, name: string, description: string): Buffer {
  return sampleInstance({
    ...uidsOf(study, 1),
    overrides: [
      element('00080020', 'DA', '20260714'),
      element('00100010', 'PN', name),
      element('00081030', 'LO', description),
    ],
  });
}

/** Every file of the archive, oldest first. */
export function archiveFiles(): readonly Buffer[] {
  return [
    named(studies.hebrew, 'שרון^דבורה', 'MR של הברך'),
    named(studies.markup, '<b>Bold</b>^<img src=x onerror=alert(1)>', '<script>alert(1)</script>'),
    report(studies.report),
    document(studies.document),
    color(studies.film, 6, 'Yamada^Tarou=山田^太郎', 'Echocardiography'),
    color(studies.color, 1, 'Nguyen^Minh', 'Thyroid'),
    ...Array.from({ length: 7 }, (_, at) => phantom(at + 1, studies.phantom)),
  ];
}

/** Files as they lie in a folder that someone uploads. */
export function folderToUpload(): readonly { readonly name: string; readonly bytes: Buffer }[] {
  const good = phantom(1, studies.upload);
  return [
    { name: 'good-1.dcm', bytes: good },
    { name: 'good-2.dcm', bytes: phantom(2, studies.upload) },
    { name: 'again.dcm', bytes: named(studies.hebrew, 'שרון^דבורה', 'MR של הברך') },
    { name: 'cut-off.dcm', bytes: phantom(3, studies.upload).subarray(0, 711) },
    { name: 'notes.txt', bytes: Buffer.from('Nothing to store here.') },
  ];
}

/** A film of 12 KiB a frame. */
export function largeFile(frames: number): Buffer {
  return buildPart10({
    elements: sampleElements({
      study: studies.upload,
      series: `${studies.upload}.1`,
      instance: `${studies.upload}.1.9`,
      omit: ['00281052', '00281053', '00280030'],
      overrides: [
        element('00080016', 'UI', '1.2.840.10008.5.1.4.1.1.3.1'),
        element('00080060', 'CS', 'US'),
        element('00100010', 'PN', 'Large^File'),
        element('00280002', 'US', 3),
        element('00280004', 'CS', 'RGB'),
        element('00280006', 'US', 0),
        element('00280008', 'IS', String(frames)),
        element('00280010', 'US', 64),
        element('00280011', 'US', 64),
        element('00280100', 'US', 8),
        element('00280101', 'US', 8),
        element('00280102', 'US', 7),
      ],
    }),
    pixelData: { native: Buffer.alloc(64 * 64 * 3 * frames, 7), vr: 'OB' },
  });
}
