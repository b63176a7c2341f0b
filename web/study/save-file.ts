/** Downloads with a token: a link cannot carry one. */
import { request } from '../api/client.js';

/** Fetches a resource and hands it to the browser as a file. */
export async function saveFile(path: string, accept: string, name: string): Promise<void> {
  const response = await request(path, { headers: { Accept: accept } });
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken hold of the blob once the click is over.
  setTimeout(() => URL.revokeObjectURL(url));
}
