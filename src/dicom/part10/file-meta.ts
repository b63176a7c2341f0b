/**
 * Reads preamble and file meta information (PS3.10 §7.1) as they stream past, up to where the data
 * set starts.
 */
import { ServiceError } from '../../errors.js';
import { malformed, truncated } from './errors.js';
import { ChunkCursor } from './cursor.js';
import {
  longestHeader,
  readHeader,
  shortestHeader,
  undefinedLength,
  type ElementHeader,
} from './header.js';
import { limitExceeded, type Part10Limits } from './limits.js';
import { formatTag, type Tag } from '../tag.js';
import { transferSyntaxOf, type TransferSyntax } from '../transfer-syntax.js';
import type { TransferSyntaxUID } from '../uid.js';

export interface FileMeta {
  readonly transferSyntax: TransferSyntax;
  readonly transferSyntaxUID: TransferSyntaxUID;
  readonly mediaStorageSOPClassUID?: string;
  readonly mediaStorageSOPInstanceUID?: string;
}

interface PendingText {
  readonly tag: Tag;
  readonly offset: number;
  remaining: number;
  text: string;
}

const preambleBytes = 128;
const magic = 'DICM';
const groupLengthTag = '00020000';
const transferSyntaxTag = '00020010';
/** As much of a value as is kept: more than any UID has. */
const keptBytes = 128;
const encoding = { explicitVR: true, bigEndian: false };

/** Takes chunks until the file meta information has ended. */
export class FileMetaReader {
  /** Known once `push` or `finish` has returned bytes. */
  meta: FileMeta | undefined;
  /** Where the data set starts, once `meta` is known. */
  end = 0;
  private readonly limits: Part10Limits;
  private readonly cursor = new ChunkCursor();
  private readonly texts = new Map<string, string>();
  private started = false;
  private elements = 0;
  private endByGroupLength = 0;
  private value: PendingText | undefined;

  constructor(limits: Part10Limits) {
    this.limits = limits;
  }

  /**
   * Reads the next bytes.
   *
   * @returns what follows the file meta information; `undefined` while it goes on.
   * @throws ServiceError `not-dicom` | `dicom-malformed` | `dicom-limit-exceeded`
   */
  push(chunk: Buffer): Buffer | undefined {
    this.cursor.feed(chunk);
    for (;;) {
      const outcome = this.step();
      if (outcome === 'ended') {
        this.conclude();
        return this.cursor.rest();
      }
      if (outcome === 'starved') return undefined;
    }
  }

  /** Ends the file within, or right after, the file meta information. */
  finish(): void {
    if (!this.started) throw notDicom();
    if (this.value !== undefined) {
      const { tag, offset, remaining } = this.value;
      throw truncated(
        `The file ends within ${formatTag(tag)} of its meta information; ${remaining} bytes are missing.`,
        { tag, offset },
      );
    }
    if (this.cursor.available > 0) {
      throw truncated('The file ends within its meta information.', {
        offset: this.cursor.position,
      });
    }
    this.conclude();
  }

  private step(): 'on' | 'starved' | 'ended' {
    if (!this.started) return this.start();
    if (this.value !== undefined) return this.readValue(this.value);
    const { position } = this.cursor;
    // Deflated bytes could look like one more element; only there the group length is believed.
    if (position === this.endByGroupLength && this.syntax()?.deflated === true) return 'ended';
    const group = this.cursor.peek(2);
    if (group === undefined) return 'starved';
    if (group.readUInt16LE() !== 2) return 'ended';
    const header = this.header();
    if (header === undefined) return 'starved';
    const { tag, length } = header;
    if (length === undefinedLength) {
      throw malformed(`${formatTag(tag)} has undefined length.`, { tag, offset: position });
    }
    this.elements += 1;
    if (this.elements > this.limits.elements) {
      throw limitExceeded('elements', this.limits, { tag, offset: position });
    }
    this.cursor.skip(header.size);
    this.value = { tag, offset: this.cursor.position, remaining: length, text: '' };
    return 'on';
  }

  private start(): 'on' | 'starved' {
    const bytes = this.cursor.peek(preambleBytes + magic.length);
    if (bytes === undefined) return 'starved';
    if (bytes.toString('latin1', preambleBytes) !== magic) throw notDicom();
    this.cursor.skip(bytes.length);
    this.started = true;
    return 'on';
  }

  private header(): ElementHeader | undefined {
    const short = this.cursor.peek(shortestHeader);
    const header = short && readHeader(short, encoding);
    if (short === undefined || header !== undefined) return header;
    const long = this.cursor.peek(longestHeader);
    return long && readHeader(long, encoding);
  }

  private readValue(value: PendingText): 'on' | 'starved' {
    const run = this.cursor.take(value.remaining);
    if (run.length === 0 && value.remaining > 0) return 'starved';
    value.remaining -= run.length;
    value.text += run.toString('latin1', 0, Math.max(0, keptBytes - value.text.length));
    if (value.remaining > 0) return 'on';
    this.value = undefined;
    if (value.tag === groupLengthTag && value.text.length === 4) {
      const length = Buffer.from(value.text, 'latin1').readUInt32LE();
      this.endByGroupLength = this.cursor.position + length;
    }
    if (!this.texts.has(value.tag)) this.texts.set(value.tag, value.text);
    return 'on';
  }

  private text(tag: string): string | undefined {
    return this.texts.get(tag)?.replace(/[ \0]+$/, '');
  }

  private syntax(): TransferSyntax | undefined {
    return transferSyntaxOf(this.text(transferSyntaxTag) ?? '');
  }

  private conclude(): void {
    const transferSyntax = this.syntax();
    if (transferSyntax === undefined) {
      const text = this.text(transferSyntaxTag);
      throw malformed(
        text === undefined
          ? 'The file meta information names no transfer syntax (0002,0010).'
          : 'The transfer syntax (0002,0010) of the file meta information is no UID.',
        { tag: transferSyntaxTag },
      );
    }
    const sopClass = this.text('00020002');
    const instance = this.text('00020003');
    this.end = this.cursor.position;
    this.meta = {
      transferSyntax,
      transferSyntaxUID: transferSyntax.uid,
      ...(sopClass === undefined ? {} : { mediaStorageSOPClassUID: sopClass }),
      ...(instance === undefined ? {} : { mediaStorageSOPInstanceUID: instance }),
    };
  }
}

function notDicom(): ServiceError {
  return new ServiceError(
    'not-dicom',
    'This is no DICOM file: there is no DICM after a preamble of 128 bytes.',
  );
}
