/** What is burnt into a picture when annotations are asked for (PS3.18 §8.3.5.1.1). */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet } from '../../../dicom/data-set.js';
import type { Annotations } from '../../../dicom/pixel/render/annotate.js';
import { stringOf } from '../../../dicom/value.js';
import type { AnnotationName } from './render-query.js';

interface Field {
  readonly keyword: string;
  readonly label?: string;
  readonly unit?: string;
}

/** Fields of a line, those that are there, beside each other. */
const lines: Readonly<Record<AnnotationName, readonly (readonly Field[])[]>> = {
  patient: [
    [{ keyword: 'PatientName' }],
    [{ keyword: 'PatientID', label: 'ID' }],
    [{ keyword: 'PatientBirthDate', label: 'born' }, { keyword: 'PatientSex' }],
    [{ keyword: 'StudyDate' }, { keyword: 'StudyTime' }, { keyword: 'AccessionNumber' }],
  ],
  technique: [
    [{ keyword: 'Modality' }, { keyword: 'SeriesDescription' }],
    [
      { keyword: 'SeriesNumber', label: 'series' },
      { keyword: 'InstanceNumber', label: 'image' },
    ],
    [
      { keyword: 'KVP', unit: 'kV' },
      { keyword: 'XRayTubeCurrent', unit: 'mA' },
      { keyword: 'Exposure', unit: 'mAs' },
      { keyword: 'RepetitionTime', label: 'TR', unit: 'ms' },
      { keyword: 'EchoTime', label: 'TE', unit: 'ms' },
    ],
    [
      { keyword: 'SliceThickness', label: 'slice', unit: 'mm' },
      { keyword: 'SliceLocation', label: 'at', unit: 'mm' },
      { keyword: 'ConvolutionKernel' },
    ],
  ],
};

const longestValue = 64;

function fieldOf(dataSet: DataSet, { keyword, label, unit }: Field): string {
  const value = stringOf(dataSet, attribute(keyword))?.trim() ?? '';
  if (value === '') return '';
  const parts = [label, value.slice(0, longestValue).replace(/\^+/g, ' ').trim(), unit];
  return parts.filter((part) => part !== undefined).join(' ');
}

function linesOf(dataSet: DataSet, name: AnnotationName): string[] {
  return lines[name]
    .map((fields) =>
      fields
        .map((field) => fieldOf(dataSet, field))
        .filter(Boolean)
        .join('  '),
    )
    .filter(Boolean);
}

/** Patient at the top, technique at the bottom; `undefined` when none is asked for. */
export function annotationsOf(
  dataSet: DataSet,
  names: readonly AnnotationName[],
): Annotations | undefined {
  if (names.length === 0) return undefined;
  return {
    topLeft: names.includes('patient') ? linesOf(dataSet, 'patient') : [],
    bottomLeft: names.includes('technique') ? linesOf(dataSet, 'technique') : [],
  };
}
