/** What a process holds and has moved, seen from outside. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const sampleMilliseconds = 50;

/** Resident bytes of a process (`VmRSS` on Linux, `ps` elsewhere). */
export function residentBytes(pid: number): number {
  const text =
    process.platform === 'linux'
      ? (/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '')
      : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  if (!/^\d+$/.test(text)) throw new Error(`The resident memory of process ${pid} is not known.`);
  return Number(text) * 1024;
}

/** Bytes that a process has read so far, sockets included; `undefined` where only Linux can tell. */
export function bytesRead(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

/** Follows the resident memory of a process; the function that it returns ends that and tells the peak. */
export function watchPeak(pid: number): () => number {
  let peak = residentBytes(pid);
  const sample = () => {
    peak = Math.max(peak, residentBytes(pid));
  };
  const timer = setInterval(sample, sampleMilliseconds);
  return () => {
    clearInterval(timer);
    sample();
    return peak;
  };
}
