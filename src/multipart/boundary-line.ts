/** Tells the boundary lines of a multipart body from its data, byte by byte (RFC 2046 §5.1.1). */

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const DASH = 0x2d;

/** What a boundary line announces: another part, or the end. */
export type BoundaryLine = 'part' | 'close';

/** Bytes at the end of `buffer` that may be the beginning of `delimiter`. */
export function heldBack(buffer: Buffer, delimiter: Buffer, from: number): number {
  const tail = buffer.subarray(Math.max(from, buffer.length - delimiter.length + 1));
  // The first byte of a delimiter occurs in it once, so only its last occurrence can begin one.
  const start = tail.lastIndexOf(delimiter.readUInt8(0));
  if (start < 0) return 0;
  const held = tail.length - start;
  return tail.subarray(start).equals(delimiter.subarray(0, held)) ? held : 0;
}

/** What bytes that may be a boundary line turn out to be. */
type Judgement =
  | { readonly kind: BoundaryLine; readonly length: number }
  | { readonly kind: 'none' }
  /** So far it may be one; the bytes before `judged` need not be looked at again. */
  | { readonly kind: 'undecided'; readonly judged: number };

const none: Judgement = { kind: 'none' };

/**
 * Judges whether a whole boundary line begins at `from`: the dashed boundary, `--` if it is the
 * last, white space, and a line end or, for the last, the end of the body.
 *
 * @param judged - how many bytes of the same line are known to fit: of an earlier judgement, or found by a search.
 */
export function boundaryLine(
  bytes: Buffer,
  from: number,
  dashed: Buffer,
  ended: boolean,
  judged = 0,
): Judgement {
  const short = (at: number): Judgement =>
    ended ? none : { kind: 'undecided', judged: at - from };
  const behind = from + dashed.length;
  if (judged < dashed.length) {
    const known = Math.min(bytes.length, behind);
    if (bytes.compare(dashed, judged, known - from, from + judged, known) !== 0) return none;
    if (known < behind) return short(known);
  }
  let at = behind;
  const closes = bytes[at] === DASH;
  if (closes) {
    if (at + 1 === bytes.length) return short(at);
    if (bytes[at + 1] !== DASH) return none;
    at += 2;
  }
  at = Math.max(at, from + judged);
  while (bytes[at] === SPACE || bytes[at] === TAB) at++;
  const padded = at;
  if (bytes[at] === CR) at++;
  if (bytes[at] === LF) return { kind: closes ? 'close' : 'part', length: at + 1 - from };
  if (at < bytes.length) return none;
  return ended && closes ? { kind: 'close', length: at - from } : short(padded);
}
