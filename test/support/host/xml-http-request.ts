/** As much of XMLHttpRequest as dicomweb-client needs, over fetch. */

export class XmlHttpRequest {
  readyState = 0;
  status = 0;
  responseType = '';
  response: unknown = null;
  onreadystatechange: (() => void) | undefined;
  readonly #headers = new Headers();
  #method = 'GET';
  #url = '';
  #answer = new Headers();

  open(method: string, url: string): void {
    this.#method = method.toUpperCase();
    this.#url = url;
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers.set(name, value);
  }

  getResponseHeader(name: string): string | null {
    return this.#answer.get(name);
  }

  getAllResponseHeaders(): string {
    return [...this.#answer].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  }

  send(body?: Uint8Array): void {
    void this.#exchange(body).then(() => {
      this.readyState = 4;
      this.onreadystatechange?.();
    });
  }

  async #exchange(body?: Uint8Array): Promise<void> {
    try {
      const init = { method: this.#method, headers: this.#headers, ...(body && { body }) };
      const answer = await fetch(this.#url, init);
      this.#answer = answer.headers;
      const bytes = await answer.arrayBuffer();
      this.response = this.#read(bytes);
      this.status = answer.status;
    } catch {
      this.status = 0;
    }
  }

  #read(bytes: ArrayBuffer): unknown {
    if (this.responseType === 'arraybuffer') return bytes;
    const text = Buffer.from(bytes).toString();
    if (this.responseType !== 'json') return text;
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // As browsers have it.
      return null;
    }
  }
}
