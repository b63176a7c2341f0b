/** One study in the list. */
import { nameOf, numberOf, textOf, textsOf, type DataSet } from '../dicom/data-set.js';
import { formatDate, formatTime } from '../dicom/format.js';
import { Person } from '../parts/person.js';
import { Picture } from '../parts/picture.js';
import { links } from '../route.js';
import { text } from '../text.js';

interface Props {
  readonly study: DataSet;
  readonly index: number;
  /** Pixels from the top of the list. */
  readonly top: number;
  readonly isActive: boolean;
  readonly withThumbnail: boolean;
}

export function StudyRow({ study, index, top, isActive, withThumbnail }: Props) {
  const uid = textOf(study, 'StudyInstanceUID');
  const born = formatDate(textOf(study, 'PatientBirthDate'));
  const time = formatTime(textOf(study, 'StudyTime'));
  return (
    <div
      class={isActive ? 'row row-active' : 'row'}
      role="row"
      aria-rowindex={index + 2}
      style={{ top: `${top}px` }}
    >
      <span class="cell cell-patient" role="cell">
        {withThumbnail && (
          <Picture
            path={`studies/${uid}/thumbnail?viewport=72,72`}
            alt=""
            fallback={text.study.noPicture}
          />
        )}
        <a class="row-link" href={links.study(uid)} data-row={index} tabIndex={isActive ? 0 : -1}>
          <Person name={nameOf(study, 'PatientName')} />
        </a>
      </span>
      <span class="cell cell-patient-id" role="cell">
        {textOf(study, 'PatientID')}
      </span>
      <span class="cell cell-born" role="cell">
        {born}
        <span class="faint"> {textOf(study, 'PatientSex')}</span>
      </span>
      <span class="cell cell-date" role="cell">
        {formatDate(textOf(study, 'StudyDate'))} <span class="faint">{time}</span>
      </span>
      <span class="cell cell-modality" role="cell">
        {textsOf(study, 'ModalitiesInStudy').map((modality) => (
          <span class="badge" key={modality}>
            {modality}
          </span>
        ))}
      </span>
      <span class="cell cell-description" role="cell">
        <bdi>{textOf(study, 'StudyDescription')}</bdi>
      </span>
      <span class="cell cell-accession" role="cell">
        {textOf(study, 'AccessionNumber')}
      </span>
      <span class="cell cell-images" role="cell">
        {numberOf(study, 'NumberOfStudyRelatedInstances') ?? ''}
      </span>
    </div>
  );
}
