/**
 * Reads a Part 10 file as it streams in (PS3.10 §7): holds its header, skips its bulk values, indexes
 * its frames.
 */
import { takeTurns, turnIsDue } from '../../take-turns.js';
import { codestreamStart } from '../frame-index.js';
import { malformed } from './errors.js';
import { FileMetaReader, type FileMeta } from './file-meta.js';
import { Inflater } from './inflater.js';
import { interpret, type ParsedInstance, type ScannedInstance } from './interpret.js';
import { defaultPart10Limits, type Part10Limits } from './limits.js';
import type { BulkValue, RawIdentity } from './scan.js';
import { DataSetScanner } from './scanner.js';

export { defaultPart10Limits };
export type { BulkValue, FileMeta, ParsedInstance, Part10Limits, RawIdentity, ScannedInstance };

/**
 * Reads one file. Feed it with `push`, whatever the chunks, and await each; then `end` or `finish`.
 * All throw `ServiceError` `not-dicom` | `dicom-malformed` | `dicom-truncated` |
 * `dicom-limit-exceeded`; after that, and when the file is given up early, the reader is just dropped.
 *
 * Offsets in a deflated file count as if the data set were inflated in its place.
 */
export class Part10Reader {
  private readonly limits: Part10Limits;
  private readonly fileMeta: FileMetaReader;
  private scanner: DataSetScanner | undefined;
  private inflater: Inflater | undefined;
  private length = 0;
  private passed: Readonly<RawIdentity> = {};
  private ended = false;

  constructor(limits: Part10Limits = defaultPart10Limits) {
    this.limits = limits;
    this.fileMeta = new FileMetaReader(limits);
  }

  /** UIDs of the instance as far as they have passed, with the padding they have in the file. */
  get identity(): Readonly<RawIdentity> {
    return this.scanner?.identity ?? this.passed;
  }

  /** Whether every UID has passed, or the place where it would have been. */
  get identityComplete(): boolean {
    return this.scanner?.identityComplete ?? this.ended;
  }

  /** Bytes of memory that what is held takes so far. */
  get heldBytes(): number {
    return this.scanner?.heldBytes ?? 0;
  }

  /** What the file meta information says, once it has passed. */
  get meta(): FileMeta | undefined {
    return this.fileMeta.meta;
  }

  /**
   * Reads the next bytes, as good as always at once; then there is nothing to wait for. It keeps no reference to them
   * when it has.
   *
   * @throws ServiceError at once, or later where the bytes are inflated.
   */
  push(chunk: Uint8Array): Promise<void> | undefined {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.length += bytes.length;
    const rest = this.scanner === undefined ? this.fileMeta.push(bytes) : bytes;
    if (rest !== undefined) {
      const scanner = this.scanner ?? this.startDataSet();
      if (this.inflater !== undefined) return this.inflater.push(rest).then(takeTurns);
      scanner.push(rest);
    }
    return turnIsDue() ? takeTurns() : undefined;
  }

  /** Ends the file, and leaves what it means to `interpret`. */
  async end(): Promise<ScannedInstance> {
    if (this.scanner === undefined) this.fileMeta.finish();
    const scanner = this.scanner ?? this.startDataSet();
    await this.inflater?.finish();
    const scanned = scanner.finish();
    // Whoever keeps the reader for its identity does not keep the header.
    const { identity } = scanner;
    this.passed = identity;
    this.ended = true;
    this.scanner = undefined;
    this.inflater = undefined;
    return { ...scanned, meta: this.knownMeta(), identity, length: this.length };
  }

  /** Ends the file and interprets it. */
  async finish(): Promise<ParsedInstance> {
    return interpret(await this.end());
  }

  private startDataSet(): DataSetScanner {
    const { transferSyntax } = this.knownMeta();
    const scanner = new DataSetScanner(
      transferSyntax,
      this.fileMeta.end,
      this.limits,
      codestreamStart(transferSyntax.frameMediaType),
    );
    if (transferSyntax.deflated) {
      this.inflater = new Inflater(this.limits, (bytes) => scanner.push(bytes));
    }
    this.scanner = scanner;
    return scanner;
  }

  private knownMeta(): FileMeta {
    const { meta } = this.fileMeta;
    if (meta === undefined) throw malformed('The file has no meta information.', {});
    return meta;
  }
}

/** Reads a file that is in memory. */
export async function parsePart10(
  bytes: Uint8Array,
  limits: Part10Limits = defaultPart10Limits,
): Promise<ParsedInstance> {
  const reader = new Part10Reader(limits);
  await reader.push(bytes);
  return await reader.finish();
}
