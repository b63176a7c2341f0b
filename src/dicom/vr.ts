/** The value representations of PS3.5 §6.2 as one table that parsing, JSON, validation and search read. */

export interface VRTraits {
  /** How a value is encoded. `bulk` values have no interpretation here beyond their bytes. */
  readonly kind: 'text' | 'name' | 'number' | 'tag' | 'sequence' | 'bulk';
  /** Explicit VR headers have a 32-bit length after two reserved bytes (PS3.5 §7.1.2). */
  readonly longHeader: boolean;
  /** Text in the Specific Character Set (PS3.5 §6.1.2.3); other text is ASCII. */
  readonly characterSet: boolean;
  /** `\` separates values; where false, text is one value (PS3.5 §6.2). */
  readonly multiValued: boolean;
  /** Bytes of one value of a binary number, attribute tag or bulk word; 1 for everything else. */
  readonly wordBytes: 1 | 2 | 4 | 8;
}

const text = {
  kind: 'text',
  longHeader: false,
  characterSet: false,
  multiValued: true,
  wordBytes: 1,
} as const;
const number = {
  kind: 'number',
  longHeader: false,
  characterSet: false,
  multiValued: true,
} as const;
const bulk = { kind: 'bulk', longHeader: true, characterSet: false, multiValued: false } as const;

export const vrTable = {
  AE: text,
  AS: text,
  AT: { ...text, kind: 'tag', wordBytes: 2 },
  CS: text,
  DA: text,
  DS: text,
  DT: text,
  FD: { ...number, wordBytes: 8 },
  FL: { ...number, wordBytes: 4 },
  IS: text,
  LO: { ...text, characterSet: true },
  LT: { ...text, characterSet: true, multiValued: false },
  OB: { ...bulk, wordBytes: 1 },
  OD: { ...bulk, wordBytes: 8 },
  OF: { ...bulk, wordBytes: 4 },
  OL: { ...bulk, wordBytes: 4 },
  OV: { ...bulk, wordBytes: 8 },
  OW: { ...bulk, wordBytes: 2 },
  PN: { ...text, kind: 'name', characterSet: true },
  SH: { ...text, characterSet: true },
  SL: { ...number, wordBytes: 4 },
  SQ: { kind: 'sequence', longHeader: true, characterSet: false, multiValued: false, wordBytes: 1 },
  SS: { ...number, wordBytes: 2 },
  ST: { ...text, characterSet: true, multiValued: false },
  SV: { ...number, longHeader: true, wordBytes: 8 },
  TM: text,
  UC: { ...text, longHeader: true, characterSet: true },
  UI: text,
  UL: { ...number, wordBytes: 4 },
  UN: { ...bulk, wordBytes: 1 },
  UR: { ...text, longHeader: true, multiValued: false },
  US: { ...number, wordBytes: 2 },
  UT: { ...text, longHeader: true, characterSet: true, multiValued: false },
  UV: { ...number, longHeader: true, wordBytes: 8 },
} as const satisfies Record<string, VRTraits>;

export type VR = keyof typeof vrTable;

const byBytes = new Map(
  Object.keys(vrTable).map((vr) => [(vr.charCodeAt(0) << 8) | vr.charCodeAt(1), vr as VR]),
);

/** Reads the two letters of an explicit VR from their bytes. */
export function vrFrom(first: number, second: number): VR | undefined {
  return byBytes.get((first << 8) | second);
}

/** Reads the two letters of an explicit VR. */
export function parseVR(text: string): VR | undefined {
  return Object.hasOwn(vrTable, text) ? (text as VR) : undefined;
}

/** What PS3.5 §6.2 says of values of a VR. */
export function traitsOf(vr: VR): VRTraits {
  return vrTable[vr];
}
