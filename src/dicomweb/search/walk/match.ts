/** What searches find, at any level, and the attributes of it that rows and data sets tell. */
import type { Element } from '../../../dicom/data-set.js';
import type { Tag } from '../../../dicom/tag.js';
import { instanceElement, seriesElement, studyElement } from './computed.js';
import type { InstanceMatch } from './find-instances.js';
import type { SeriesMatch } from './find-series.js';
import type { StudyMatch } from './find-studies.js';

export type Match = StudyMatch | SeriesMatch | InstanceMatch;

/** An attribute of a match: its own, or that of the series or study above it. */
export function elementOf(match: Match, tag: Tag, baseUrl: string): Element | undefined {
  if ('instance' in match) {
    const own = instanceElement(match.instance, tag, baseUrl) ?? match.dataSet[tag];
    if (own !== undefined) return own;
  }
  if ('series' in match) {
    const own = seriesElement(match.series, tag, baseUrl);
    if (own !== undefined) return own;
  }
  return studyElement(match.study, tag, baseUrl);
}
