/** A picture of the service: fetched with the token when it comes into view, shown as a blob. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { request } from '../api/client.js';

interface Props {
  /** Path of a rendered resource or thumbnail. */
  readonly path: string;
  readonly alt: string;
  /** Shown where there is no picture. */
  readonly fallback: string;
}

/** Fetches for pictures that are under way; a list of hundreds must not crowd out what is clicked. */
const mostAtOnce = 4;
let underWay = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (underWay >= mostAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
  underWay += 1;
  try {
    return await work();
  } finally {
    underWay -= 1;
    waiting.shift()?.();
  }
}

export function Picture({ path, alt, fallback }: Props) {
  const frame = useRef<HTMLSpanElement>(null);
  const [source, setSource] = useState<string>();
  const [failed, setFailed] = useState(false);

  useEffect(() => {
    const element = frame.current;
    if (element === null) return undefined;
    const controller = new AbortController();
    let url: string | undefined;
    const load = async () => {
      if (controller.signal.aborted) return;
      const response = await request(path, {
        headers: { Accept: 'image/jpeg' },
        signal: controller.signal,
      });
      url = URL.createObjectURL(await response.blob());
      setSource(url);
    };
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      inTurn(load).catch(() => setFailed(true));
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      controller.abort();
      if (url !== undefined) URL.revokeObjectURL(url);
    };
  }, [path]);

  return (
    <span class="picture" ref={frame}>
      {source !== undefined && <img src={source} alt={alt} />}
      {failed && <span class="picture-none">{fallback}</span>}
    </span>
  );
}
