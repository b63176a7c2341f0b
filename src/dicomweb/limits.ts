/** The limits of one request: finite, named, each with its own error (docs/conformance.md lists them). */
import { defaultPixelLimits, type PixelLimits } from '../dicom/pixel/pixel-limits.js';
import { defaultPart10Limits, type Part10Limits } from '../dicom/part10/part10.js';

export interface Limits {
  /** Bytes of one request body. */
  readonly requestBytes: number;
  /** Bytes of one instance within a request. */
  readonly instanceBytes: number;
  /** Parts of one multipart request. */
  readonly parts: number;
  /** Store requests that one process serves at the same time. */
  readonly storeRequests: number;
  /** Bytes of headers that one process holds at the same time. */
  readonly heldHeaderBytes: number;
  /** Instances of one request that are on their way to storage at the same time. */
  readonly uploadsPerRequest: number;
  /** Minutes that a client has for a direct upload. */
  readonly uploadMinutes: number;
  readonly part10: Part10Limits;
  readonly pixels: PixelLimits;
}

export const defaultLimits: Limits = {
  requestBytes: 4 * 1024 ** 3,
  instanceBytes: 4 * 1024 ** 3,
  parts: 10_000,
  storeRequests: 64,
  heldHeaderBytes: 256 * 1024 ** 2,
  uploadsPerRequest: 8,
  uploadMinutes: 60,
  part10: defaultPart10Limits,
  pixels: defaultPixelLimits,
};
