/** How renderings are shown by each profile. */
import type { PictureFormat } from '../../../dicom/pixel/render/render-request.js';

export interface RenderedPolicy {
  /** What pictures can be had in, the preferred one first. */
  readonly formats: readonly PictureFormat[];
  /** The query parameters of PS3.18 §8.3.5, or `quality` alone as the Microsoft server has it. */
  readonly parameters: 'all' | 'quality';
  /** Quality of JPEG that no parameter tells. */
  readonly quality: number;
}

export const standardRenderedPolicy: RenderedPolicy = {
  formats: ['jpeg', 'png', 'gif', 'jp2'],
  parameters: 'all',
  quality: 90,
};

export const microsoftRenderedPolicy: RenderedPolicy = {
  formats: ['jpeg', 'png'],
  parameters: 'quality',
  quality: 100,
};
