import { describe, expect, it } from '@jest/globals';
import { annotate } from '../../../../src/dicom/pixel/render/annotate.js';
import { drawable } from '../../../../src/dicom/pixel/render/glyphs.js';
import type { Picture } from '../../../../src/dicom/pixel/render/picture.js';

function plain(width: number, height: number, channels: 1 | 3 = 1): Picture {
  return { width, height, channels, data: new Uint8Array(width * height * channels).fill(100) };
}

/** The picture as text: `#` white, `.` black, space untouched. */
function drawn({ width, height, data }: Picture): string[] {
  const marks: Readonly<Record<number, string>> = { 255: '#', 0: '.' };
  return Array.from({ length: height }, (_, y) =>
    Array.from(data.subarray(y * width, (y + 1) * width), (level) => marks[level] ?? ' ').join(''),
  );
}

describe('annotate', () => {
  it('writes white characters with a black outline', () => {
    const picture = annotate(plain(10, 12), { topLeft: ['T'], bottomLeft: [] });
    expect(drawn(picture)).toEqual([
      '          ',
      '          ',
      '  ....... ',
      '  .#####. ',
      '  ...#... ',
      '    .#.   ',
      '    .#.   ',
      '    .#.   ',
      '    .#.   ',
      '    .#.   ',
      '    ...   ',
      '          ',
    ]);
  });

  it('stays within the picture, whatever the text', () => {
    const lines = Array.from({ length: 30 }, () => 'W'.repeat(300));
    for (const channels of [1, 3] as const) {
      const source = plain(37, 23, channels);
      const picture = annotate(source, { topLeft: lines, bottomLeft: lines });
      expect(picture.data.length).toBe(source.data.length);
      expect(source.data.every((level) => level === 100)).toBe(true);
    }
  });

  it('writes larger in larger pictures', () => {
    const white = (side: number) =>
      annotate(plain(side, side), { topLeft: ['I'], bottomLeft: [] }).data.filter(
        (level) => level === 255,
      ).length;
    expect(white(1024)).toBe(16 * white(256));
  });
});

describe('drawable', () => {
  it.each([
    ['Müller^José', 'Muller^Jose'],
    ['Ærøskøbing ß', 'AEroskobing ss'],
    ['Łódź', 'Lodz'],
    ['山田^太郎', '??^??'],
    ['tab\there', 'tab?here'],
  ])('%p becomes %p', (text, expected) => {
    expect(drawable(text)).toBe(expected);
  });
});
