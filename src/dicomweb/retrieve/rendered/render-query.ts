/** The query parameters of renderings (PS3.18 §8.3.5), read strictly: what is malformed is named. */
import type { Window, WindowShape } from '../../../dicom/pixel/render/presentation.js';
import { isWindow } from '../../../dicom/pixel/render/presentation-of.js';
import { mostPicturePixels } from '../../../dicom/pixel/pixel-limits.js';
import type { SourceRegion, Viewport } from '../../../dicom/pixel/render/viewport.js';
import {
  invalidParameter,
  queryInteger,
  queryValue,
  type QueryParameter,
} from '../../../http/query-string.js';
import type { RenderedPolicy } from './rendered-policy.js';
import type { RequestHead } from '../../../http/incoming-request.js';

/** The parameters (PS3.18 §8.3.5). */
export const pictureParameters = [
  'window',
  'viewport',
  'annotation',
  'iccprofile',
  'quality',
] as const;

export type AnnotationName = 'patient' | 'technique';
export type IccChoice = 'no' | 'yes' | 'srgb';

export interface RenderQuery {
  readonly quality: number;
  readonly window?: Window;
  readonly viewport?: Viewport;
  readonly annotations: readonly AnnotationName[];
  /** Annotations asked for that are not known; the answer warns of them (PS3.18 §8.3.5.1.1). */
  readonly unknownAnnotations: readonly string[];
  readonly iccProfile: IccChoice;
}

type Parameters = readonly QueryParameter[];

/** A decimal number as PS3.18 has it; no exponent, so that nothing is infinite. */
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)$/;
const longestNumber = 20;
const mostViewportSide = 2 ** 14;

/** The names of PS3.18 §8.3.5.1.4; without one the window is that of PS3.3 §C.11.2.1.2. */
const shapes: ReadonlyMap<string, WindowShape> = new Map([
  ['linear', 'LINEAR'],
  ['linear-exact', 'LINEAR_EXACT'],
  ['sigmoid', 'SIGMOID'],
]);

const annotationNames: readonly AnnotationName[] = ['patient', 'technique'];
const iccChoices: readonly IccChoice[] = ['no', 'yes', 'srgb'];

function numberOf(text: string | undefined): number | undefined {
  const trimmed = text?.trim() ?? '';
  const valid = decimal.test(trimmed) && trimmed.length <= longestNumber;
  return valid ? Number(trimmed) : undefined;
}

function windowOf(parameters: Parameters): Window | undefined {
  const text = queryValue(parameters, 'window');
  if (text === undefined) return undefined;
  const [centerText, widthText, name = 'linear', ...more] = text.split(',');
  const center = numberOf(centerText);
  const width = numberOf(widthText);
  const shape = shapes.get(name.trim().toLowerCase());
  if (center === undefined || width === undefined || shape === undefined || more.length > 0) {
    throw invalidParameter(
      'window',
      'It must be center,width,function with two decimal numbers and linear, linear-exact or sigmoid.',
    );
  }
  const window = { center, width, shape };
  if (!isWindow(window)) {
    throw invalidParameter(
      'window',
      shape === 'LINEAR' ? 'Its width must be 1 or more.' : 'Its width must be above 0.',
    );
  }
  return window;
}

function regionOf(parts: readonly string[]): SourceRegion | undefined {
  if (parts.length === 0) return undefined;
  // Each may be left out, its comma not (PS3.18 §8.3.5.1.3).
  const [x, y, width, height] = parts.map((part) => (part.trim() === '' ? '' : numberOf(part)));
  if ([x, y, width, height].some((part, at) => part === undefined && at < parts.length)) {
    throw invalidParameter('viewport', 'Its region must be decimal numbers.');
  }
  if (width === 0 || height === 0) {
    throw invalidParameter('viewport', 'Its region must not be empty.');
  }
  return {
    x: typeof x === 'number' ? x : 0,
    y: typeof y === 'number' ? y : 0,
    ...(typeof width === 'number' && { width }),
    ...(typeof height === 'number' && { height }),
  };
}

/** @param regions whether a part of the image may be asked for. */
function viewportOf(parameters: Parameters, regions: boolean): Viewport | undefined {
  const text = queryValue(parameters, 'viewport');
  if (text === undefined) return undefined;
  const [widthText = '', heightText = '', ...region] = text.split(',');
  const sides = [widthText, heightText].map((side) =>
    /^\s*\d{1,6}\s*$/.test(side) ? Number(side) : 0,
  );
  const [width = 0, height = 0] = sides;
  if (region.length > (regions ? 4 : 0)) {
    throw invalidParameter(
      'viewport',
      regions
        ? 'It must be width,height or width,height,x,y,width,height.'
        : 'It must be width,height.',
    );
  }
  if (sides.some((side) => side < 1 || side > mostViewportSide)) {
    throw invalidParameter(
      'viewport',
      `Its width and height must be integers from 1 to ${mostViewportSide}.`,
    );
  }
  if (width * height > mostPicturePixels) {
    throw invalidParameter('viewport', `It may have up to ${mostPicturePixels} pixels.`);
  }
  const source = regionOf(region);
  return { width, height, ...(source !== undefined && { source }) };
}

function annotationsOf(
  parameters: Parameters,
): Pick<RenderQuery, 'annotations' | 'unknownAnnotations'> {
  const asked = (queryValue(parameters, 'annotation') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  const isKnown = (name: string): boolean => annotationNames.some((known) => known === name);
  return {
    annotations: annotationNames.filter((name) => asked.includes(name)),
    unknownAnnotations: asked.filter((name) => !isKnown(name)),
  };
}

function iccOf(parameters: Parameters): IccChoice {
  const text = queryValue(parameters, 'iccprofile');
  const choice = iccChoices.find((one) => one === text?.trim().toLowerCase());
  if (text !== undefined && choice === undefined) {
    throw invalidParameter(
      'iccprofile',
      'It must be no, yes or srgb; other conversions are not offered.',
    );
  }
  return choice ?? 'no';
}

/**
 * Reads the parameters of a rendering.
 *
 * @throws ServiceError `invalid-query` naming the parameter.
 */
export function parseRenderQuery(request: RequestHead, policy: RenderedPolicy): RenderQuery {
  const parameters = request.query;
  const quality = queryInteger(parameters, 'quality', { min: 1, max: 100 }) ?? policy.quality;
  if (policy.parameters === 'quality') {
    return { quality, annotations: [], unknownAnnotations: [], iccProfile: 'no' };
  }
  const window = windowOf(parameters);
  const viewport = viewportOf(parameters, true);
  return {
    quality,
    ...(window !== undefined && { window }),
    ...(viewport !== undefined && { viewport }),
    ...annotationsOf(parameters),
    iccProfile: iccOf(parameters),
  };
}

/** Size of a thumbnail where no parameter tells, at most; and what larger ones are cut down to. */
const defaultThumbnailSide = 200;
const mostThumbnailSide = 1024;
const thumbnailQuality = 80;

/**
 * Reads the parameter of a thumbnail, its viewport (PS3.18 §10.4.1.2.5); larger ones are cut down.
 *
 * @throws ServiceError `invalid-query` naming the parameter.
 */
export function parseThumbnailQuery(request: RequestHead): RenderQuery {
  const asked = viewportOf(request.query, false);
  const side = (length = defaultThumbnailSide): number => Math.min(length, mostThumbnailSide);
  return {
    quality: thumbnailQuality,
    viewport: { width: side(asked?.width), height: side(asked?.height) },
    annotations: [],
    unknownAnnotations: [],
    iccProfile: 'no',
  };
}
