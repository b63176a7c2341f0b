/** What an instance is rendered as (PS3.18 §8.7.4): a picture, a video, a document or a report. */
import { attribute } from '../../../dicom/attribute.js';
import { stringOf } from '../../../dicom/value.js';
import type { RenderSource } from './render-source.js';

export type RenderedKind = 'image' | 'video' | 'pdf' | 'cda' | 'report';

const document = attribute('EncapsulatedDocument');
const documentType = attribute('MIMETypeOfEncapsulatedDocument');
const valueType = attribute('ValueType');

const documentKinds: Readonly<Record<string, RenderedKind>> = {
  'application/pdf': 'pdf',
  'text/xml': 'cda',
};

/** `undefined` for an instance of which nothing can be shown, such as a plan or a waveform. */
export function renderedKind({ dataSet, index, syntax }: RenderSource): RenderedKind | undefined {
  if (dataSet[document] !== undefined) {
    return documentKinds[stringOf(dataSet, documentType)?.trim().toLowerCase() ?? ''];
  }
  // The root of every report is a container (PS3.3 §C.17.3).
  if (stringOf(dataSet, valueType)?.trim() === 'CONTAINER') return 'report';
  if (index.frames === undefined || index.frames.frames === 0) return undefined;
  return syntax.frameMediaType.startsWith('video/') ? 'video' : 'image';
}
