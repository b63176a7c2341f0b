/** Where the page is: the part of the URL after `#`, so that any view can be bookmarked and sent. */
import { signal } from '@preact/signals';

/** Filters and order of the study list, as they stand in the URL. */
export type ListQuery = Readonly<Record<string, string>>;

export type Route =
  | { readonly view: 'list'; readonly query: ListQuery }
  | { readonly view: 'study'; readonly study: string }
  | { readonly view: 'look'; readonly study: string; readonly series: string }
  | { readonly view: 'upload' }
  | { readonly view: 'operate' };

const uid = '([\\d.]{1,64})';
const patterns: readonly (readonly [RegExp, (found: readonly string[]) => Route])[] = [
  [
    new RegExp(`^/studies/${uid}/series/${uid}$`),
    ([, study = '', series = '']) => ({ view: 'look', study, series }),
  ],
  [new RegExp(`^/studies/${uid}$`), ([, study = '']) => ({ view: 'study', study })],
  [/^\/upload$/, () => ({ view: 'upload' })],
  [/^\/operate$/, () => ({ view: 'operate' })],
];

function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?');
  for (const [pattern, make] of patterns) {
    const found = pattern.exec(path);
    if (found !== null) return make(found);
  }
  return { view: 'list', query: Object.fromEntries(new URLSearchParams(query)) };
}

/** The view that is shown. */
export const route = signal<Route>(parse(location.hash));

addEventListener('hashchange', () => {
  route.value = parse(location.hash);
});

/** Links, as `href`. */
export const links = {
  list: (query: ListQuery = {}) => {
    const parameters = new URLSearchParams(query).toString();
    return parameters === '' ? '#/' : `#/?${parameters}`;
  },
  study: (study: string) => `#/studies/${study}`,
  look: (study: string, series: string) => `#/studies/${study}/series/${series}`,
  upload: '#/upload',
  operate: '#/operate',
};

/** The list as it was left, to go back to. */
let lastList = '#/';

/** Where "back to the studies" leads. */
export function lastListLink(): string {
  return lastList;
}

/** Puts the filters of the list into the URL, without a step in the history for each letter. */
export function replaceListQuery(query: ListQuery): void {
  lastList = links.list(query);
  history.replaceState(null, '', lastList);
  route.value = parse(lastList);
}

/** Shows a view in place of the present entry of the history, and without a query. */
export function replaceView(hash: string): void {
  history.replaceState(null, '', `${location.pathname}${hash}`);
  route.value = parse(hash);
}

/** Goes to a view. */
export function go(link: string): void {
  location.hash = link;
}

if (route.value.view === 'list') lastList = location.hash === '' ? '#/' : location.hash;
