/**
 * What PS3.5 §6.2 asks of the text of one value, VR by VR, with the wording of fo-dicom, which
 * clients of the Microsoft DICOM server know (and compare) from its store warnings, misspellings included.
 */
import type { VR } from './vr.js';

/** A complaint: what is wrong, and the text it quotes. */
export interface Complaint {
  readonly content: string;
  readonly reason: string;
}

/** A check of one value; the reason when it fails. */
type Check = (value: string) => string | undefined;

/** The checks of a VR; `trim` is what the checks after the length do not see. */
interface Rule {
  readonly maxLength?: number;
  readonly trim?: 'both' | 'end';
  readonly checks: readonly Check[];
}

// The control characters of Unicode (category Cc) apart from ESC are exactly what must not be there.
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const controlExceptEscape = /[\u0000-\u001a\u001c-\u001f\u007f-\u009f]/;

/** Whether text has a control character other than ESC. */
export function hasControl(text: string): boolean {
  return controlExceptEscape.test(text);
}

function matches(pattern: RegExp, reason: string): Check {
  return (value) => (pattern.test(value) ? undefined : reason);
}

function lacks(pattern: RegExp, reason: string): Check {
  return (value) => (pattern.test(value) ? reason : undefined);
}

/** A number in a fixed place of a date or time that must not exceed a limit. */
interface Field {
  readonly from: number;
  readonly max: number;
  readonly reason: string;
}

/** The first field that is there and too large. */
function overflow(text: string, fields: readonly Field[]): string | undefined {
  return fields.find(({ from, max }) => Number(text.slice(from, from + 2)) > max)?.reason;
}

/** Checks both ends of a range, as queries have them; stored values are ranges of one part. */
function eachPart(parts: readonly string[], check: Check): string | undefined {
  for (const part of parts) {
    const trimmed = part.replace(/ +$/, '');
    const reason = trimmed === '' ? undefined : check(trimmed);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function ranged(check: Check): Check {
  return (value) => {
    const parts = value.split('-');
    return parts.length > 2
      ? "value contains too many range separators '-'"
      : eachPart(parts, check);
  };
}

const dateFields = [
  { from: 4, max: 12, reason: 'month component exceeds the value 12' },
  { from: 6, max: 31, reason: 'day component exceeds the value 31' },
];

const timeFields = [
  { from: 0, max: 23, reason: 'hour component exceeds 23' },
  { from: 2, max: 59, reason: 'minutes component exceeds 59' },
  { from: 4, max: 60, reason: 'seconds component exceeds 60' },
];

const dateTimeFields = [
  { from: 12, max: 60, reason: 'seconds component exceeds 60' },
  { from: 10, max: 59, reason: 'minutes component exceeds 59' },
  { from: 8, max: 23, reason: 'hours component exceeds 23' },
  { from: 6, max: 31, reason: 'day component exceeds 31' },
  { from: 4, max: 12, reason: 'month component exceeds 12' },
];

function checkDate(value: string): string | undefined {
  return /^\d{8}$/.test(value)
    ? overflow(value, dateFields)
    : 'one of the date values does not match the pattern YYYYMMDD';
}

function checkTime(value: string): string | undefined {
  return /^\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?$/.test(value)
    ? overflow(value, timeFields)
    : 'value does not mach pattern HH or HHMM or HHMMSS or HHMMSS.F{1-6}';
}

/** Splits a range of date times, in which `-` may also be the sign of a UTC offset. */
function dateTimeParts(value: string): readonly string[] | undefined {
  const parts = value.split('-');
  const isOffset = (part: string | undefined) =>
    part !== undefined && /^\d{4}$/.test(part) && Number(part) <= 1200;
  const [first = '', second = '', third = '', fourth = ''] = parts;
  if (parts.length === 4) return [`${first}-${second}`, `${third}-${fourth}`];
  if (parts.length === 3 && isOffset(second)) return [`${first}-${second}`, third];
  if (parts.length === 3) return isOffset(third) ? [first, `${second}-${third}`] : undefined;
  return parts.length === 2 && isOffset(second) ? [value] : parts;
}

function checkOffset(offset: string, sign: string): string | undefined {
  if (!/^\d{4}$/.test(offset)) return 'value does not match the UTC pattern &ZZXX';
  const hours = Number(offset.slice(0, 2));
  if (sign === '+' && hours > 14) {
    return 'positive UTC hours component exceeds 14 (allowed range is -1200 to +1400)';
  }
  if (sign === '-' && hours > 12) {
    return 'negative UTC hours component exceeds 12 (allowed range is -1200 to +1400)';
  }
  return Number(offset.slice(2)) > 59 ? 'UTC minutes component exceeds 59' : undefined;
}

function checkOneDateTime(value: string): string | undefined {
  const [stamp = '', offset, ...rest] = value.split(/[+-]/);
  if (rest.length > 0) return "value contains too many UTC separators '+' or '-'";
  if (offset !== undefined) {
    const reason = checkOffset(offset, value.charAt(stamp.length));
    if (reason !== undefined) return reason;
  }
  if (!/^\d{4}(?:\d{2}){0,5}$|^\d{14}\.\d{1,6}$/.test(stamp)) {
    return 'value does not mach pattern YYYY[MM[DD[HH[MM[SS[.F{1-6}]]]]]]';
  }
  if (stamp.slice(6, 8) === '00') return 'day component cannot be 0';
  if (stamp.slice(4, 6) === '00') return 'month component cannot be 0';
  return overflow(stamp, dateTimeFields);
}

function checkDateTime(value: string): string | undefined {
  if (value.includes('-0000')) {
    return 'negative UTC hours component with value -0000 is not allowed';
  }
  if (value.trim() === '-') return 'both dateTime components in range cannot be empty';
  if (value.split('-').length > 4) return "value contains too many range separators '-'";
  const parts = dateTimeParts(value);
  return parts === undefined
    ? 'value is in invalid range format'
    : eachPart(parts, checkOneDateTime);
}

function checkName(value: string): string | undefined {
  const groups = value.split('=');
  if (groups.length > 3) return 'value contains too many groups';
  if (groups.some((group) => group.length > 64)) {
    return 'value exceeds maximum length of 64 characters';
  }
  if (groups.some(hasControl)) return 'value contains invalid control character';
  return groups.some((group) => group.split('^').length > 5)
    ? 'value contains too many components'
    : undefined;
}

function checkInt32(value: string): string | undefined {
  const number = Number(value);
  return number < -(2 ** 31) || number >= 2 ** 31
    ? 'value too large to fit 32 bit integer'
    : undefined;
}

const noControl = lacks(controlExceptEscape, 'value contains invalid character');

const rules: Partial<Record<VR, Rule>> = {
  AE: {
    maxLength: 16,
    checks: [
      // eslint-disable-next-line no-control-regex -- to find them
      lacks(/[\u0000-\u001f\u007f-\u009f]/, 'value contains invalid control character'),
      matches(/\S/, 'value may not consist only of spaces'),
    ],
  },
  AS: { checks: [matches(/^\d{3}[DWMY]$/, 'value does not have pattern 000[DWMY]')] },
  CS: {
    maxLength: 16,
    checks: [
      matches(
        /^[A-Z0-9_ ]*$/,
        'value contains invalid character. Only uppercase character, digits, space and underscore alre allowed',
      ),
    ],
  },
  DA: { checks: [ranged(checkDate)] },
  DS: {
    maxLength: 16,
    trim: 'both',
    checks: [
      matches(/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/, 'value is no decimal string'),
    ],
  },
  DT: { checks: [checkDateTime] },
  IS: {
    trim: 'both',
    checks: [matches(/^[+-]?\d+$/, 'value is not an integer string'), checkInt32],
  },
  LO: { maxLength: 64, checks: [noControl] },
  LT: { maxLength: 10240, checks: [] },
  PN: { checks: [checkName] },
  SH: { maxLength: 16, checks: [noControl] },
  ST: { maxLength: 1024, checks: [] },
  TM: { checks: [ranged(checkTime)] },
  UI: {
    trim: 'end',
    maxLength: 64,
    checks: [
      matches(/^[0-9.]*$/, "value contains invalid characters other than '0'-'9' and '.'"),
      lacks(/^0|\.0\d/, 'components must not have leading zeros'),
      lacks(/^\.|\.\.|\.$/, 'a component can not be empty'),
    ],
  },
};

const trimmers = {
  both: (value: string) => value.trim(),
  end: (value: string) => value.replace(/ +$/, ''),
};

/**
 * Checks one value of a VR. Empty values pass, and so does every value of a VR that has no rules
 * (UC, UR, UT and binary values).
 */
export function complaintAbout(value: string, vr: VR): Complaint | undefined {
  const rule = rules[vr];
  if (rule === undefined || value === '') return undefined;
  const content = rule.trim === undefined ? value : trimmers[rule.trim](value);
  if (content === '') return undefined;
  // Padding in front counts towards the length, trailing padding of UI does not.
  const measured = rule.trim === 'end' ? content : value;
  if (rule.maxLength !== undefined && measured.length > rule.maxLength) {
    const reason = `value exceeds maximum length of ${String(rule.maxLength)} characters`;
    return { content: measured, reason };
  }
  for (const check of rule.checks) {
    const reason = check(content);
    if (reason !== undefined) return { content, reason };
  }
  return undefined;
}
