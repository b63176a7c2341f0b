/** Small line drawings, each one path on a 24 × 24 grid; hidden from screen readers. */

const paths = {
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14m5 12 4 4',
  upload: 'M12 16V4m-5 5 5-5 5 5M4 20h16',
  back: 'm14 6-6 6 6 6',
  play: 'M7 5v14l12-7z',
  pause: 'M8 5v14m8-14v14',
  window: 'M12 3a9 9 0 1 0 0 18zm0 0a9 9 0 0 1 0 18',
  pan: 'M12 3v18M3 12h18M9 6l3-3 3 3M9 18l3 3 3-3M6 9l-3 3 3 3M18 9l3 3-3 3',
  zoom: 'M10 4a6 6 0 1 0 0 12 6 6 0 0 0 0-12m4.5 10.500L20 20M7.500 10h5M10 7.500v5',
  measure: 'm4 16 12-12 4 4L8 20zM8 12l2 2m1-5 2 2m1-5 2 2',
  invert: 'M4 4h16v16H4zm0 16L20 4v16z',
  fit: 'M4 9V4h5M20 9V4h-5M4 15v5h5m11-5v5h-5',
  reset: 'M4 4v6h6M4.500 10A8 8 0 1 1 4 13',
  list: 'M4 6h16M4 12h16M4 18h16',
  pulse: 'M3 12h4l3-8 4 16 3-8h4',
  table: 'M4 5h16v14H4zM4 10h16M10 5v14',
  download: 'M12 4v12m-5-5 5 5 5-5M4 20h16',
  trash: 'M5 7h14M9 7V4h6v3m-8 0 1 13h8l1-13',
  share: 'M12 14V3m-4 4 4-4 4 4M6 11v9h12v-9',
  up: 'm6 14 6-6 6 6',
  down: 'm6 10 6 6 6-6',
  user: 'M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8M4 20a8 8 0 0 1 16 0',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
