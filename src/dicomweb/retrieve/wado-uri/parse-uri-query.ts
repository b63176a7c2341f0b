/** Reads the query of WADO-URI (PS3.18 §9.1.2) and says it again in the terms of WADO-RS. */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet } from '../../../dicom/data-set.js';
import { numberOf } from '../../../dicom/value.js';
import { ServiceError } from '../../../errors.js';
import { parseMediaType } from '../../../http/media-type.js';
import {
  invalidParameter,
  queryInteger,
  queryValue,
  queryValues,
  type QueryParameter,
} from '../../../http/query-string.js';
import { dicom } from '../instance-choice.js';

type Parameters = readonly QueryParameter[];

/** What a URI asks for. */
export interface UriQuery {
  readonly parameters: Parameters;
  /** By the names of path parameters. */
  readonly uids: Readonly<Record<'study' | 'series' | 'instance', string>>;
  /** Media types in the order of preference; none when the client leaves it to the service. */
  readonly contentTypes: readonly string[];
  /** A UID or `*`. */
  readonly transferSyntax: string | undefined;
  readonly frame: number | undefined;
}

const uidParameters = { study: 'studyUID', series: 'seriesUID', instance: 'objectUID' } as const;
/** What would change the answer in a way that is not there to be had. */
const unsupported = ['anonymize', 'presentationUID', 'presentationSeriesUID'];
const mostSide = 2 ** 14;

function required(parameters: Parameters, name: string): string {
  const value = queryValue(parameters, name)?.trim() ?? '';
  if (value === '') throw invalidParameter(name, 'It must be given.');
  return value;
}

function contentTypesOf(parameters: Parameters): readonly string[] {
  const names = queryValues(parameters, 'contentType')
    .flatMap((value) => value.split(','))
    .filter((name) => name.trim() !== '');
  return names.map((name) => {
    const type = parseMediaType(name.trim().replace(' ', '+'));
    if (type === undefined) throw invalidParameter('contentType', 'It must be media types.');
    return type.essence;
  });
}

/**
 * Reads the parameters that name the object and its form.
 *
 * @throws ServiceError `invalid-query` naming the parameter.
 */
export function parseUriQuery(parameters: Parameters): UriQuery {
  if (required(parameters, 'requestType').toUpperCase() !== 'WADO') {
    throw invalidParameter('requestType', 'It must be WADO.');
  }
  for (const name of unsupported) {
    if ((queryValue(parameters, name) ?? '') !== '') {
      throw invalidParameter(name, 'It is not supported by this service.');
    }
  }
  const { study, series, instance } = uidParameters;
  const transferSyntax = queryValue(parameters, 'transferSyntax')?.trim();
  if (transferSyntax !== undefined && !/^(?:\*|[\d.]{1,64})$/.test(transferSyntax)) {
    throw invalidParameter('transferSyntax', 'It must be a UID, or * for the stored one.');
  }
  return {
    parameters,
    uids: {
      study: required(parameters, study),
      series: required(parameters, series),
      instance: required(parameters, instance),
    },
    contentTypes: contentTypesOf(parameters),
    transferSyntax,
    frame: queryInteger(parameters, 'frameNumber', { min: 1 }),
  };
}

/** Parameters that are about pictures only (PS3.18 §9.1.2.2). */
export const renderingParameters = [
  'frameNumber',
  'rows',
  'columns',
  'region',
  'windowCenter',
  'windowWidth',
  'imageQuality',
  'annotation',
] as const;

/** All parameters (PS3.18 §9.1.2). */
export const uriParameters = [
  'requestType',
  'studyUID',
  'seriesUID',
  'objectUID',
  'contentType',
  'transferSyntax',
  ...renderingParameters,
] as const;

/**
 * Refuses parameters of renderings in a request for the file (PS3.18 §9.1.2.2).
 *
 * @throws ServiceError `invalid-query` naming the parameter.
 */
export function refuseRendering({ parameters }: UriQuery): void {
  const given = renderingParameters.find((name) => queryValues(parameters, name).length > 0);
  if (given !== undefined) throw invalidParameter(given, `It cannot go with ${dicom}.`);
}

interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** Left, top, width and height as shares of the image. */
function regionOf(parameters: Parameters): readonly [number, number, number, number] | undefined {
  const text = queryValue(parameters, 'region');
  if (text === undefined) return undefined;
  const corners = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  const [left = Number.NaN, top = Number.NaN, right = Number.NaN, bottom = Number.NaN] = corners;
  const isRegion = corners.length === 4 && left >= 0 && top >= 0 && right <= 1 && bottom <= 1;
  if (!isRegion || !(left < right) || !(top < bottom)) {
    throw invalidParameter(
      'region',
      'It must be left,top,right,bottom as decimal numbers from 0 to 1.',
    );
  }
  return [left, top, right - left, bottom - top];
}

function viewportOf(parameters: Parameters, dataSet: DataSet): string | undefined {
  const rows = queryInteger(parameters, 'rows', { min: 1, max: mostSide });
  const columns = queryInteger(parameters, 'columns', { min: 1, max: mostSide });
  const region = regionOf(parameters);
  if (rows === undefined && columns === undefined && region === undefined) return undefined;
  const image: Size = {
    rows: numberOf(dataSet, attribute('Rows')) ?? 1,
    columns: numberOf(dataSet, attribute('Columns')) ?? 1,
  };
  const [left, top, width, height] = region ?? [0, 0, 1, 1];
  const shown = { columns: width * image.columns, rows: height * image.rows };
  const side = (pixels: number) => String(Math.min(Math.max(1, Math.round(pixels)), mostSide));
  const size =
    columns === undefined && rows === undefined
      ? [side(shown.columns), side(shown.rows)]
      : [
          side(columns ?? ((rows ?? 1) * shown.columns) / shown.rows),
          side(rows ?? ((columns ?? 1) * shown.rows) / shown.columns),
        ];
  const source =
    region === undefined
      ? []
      : [left * image.columns, top * image.rows, shown.columns, shown.rows].map((one) =>
          one.toFixed(4),
        );
  return [...size, ...source].join(',');
}

function windowOf(parameters: Parameters): string | undefined {
  const center = queryValue(parameters, 'windowCenter')?.trim();
  const width = queryValue(parameters, 'windowWidth')?.trim();
  if (center === undefined && width === undefined) return undefined;
  if (center === undefined || width === undefined) {
    const missing = center === undefined ? 'windowCenter' : 'windowWidth';
    throw new ServiceError('invalid-query', 'windowCenter and windowWidth go together.', {
      parameter: missing,
    });
  }
  return `${center},${width},linear`;
}

/**
 * The parameters of a rendering by their names in WADO-RS (PS3.18 §8.3.5).
 *
 * @param dataSet - of the image, whose size shares of it are measured by.
 * @throws ServiceError `invalid-query` naming the parameter.
 */
export function renderParameters(
  { parameters }: UriQuery,
  dataSet: DataSet,
): Readonly<Record<string, string>> {
  const renamed = {
    viewport: viewportOf(parameters, dataSet),
    window: windowOf(parameters),
    quality: queryValue(parameters, 'imageQuality'),
    annotation: queryValue(parameters, 'annotation'),
  };
  const given = Object.entries(renamed).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as Record<string, string>;
}
