/** What a process holds, has moved and shares with others, seen from outside. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

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

/**
 * Follows the resident memory of a process; the function that it returns ends that and tells the peak.
 *
 * @param onHigher - told whenever there is more than ever before.
 */
export function watchPeak(pid: number, onHigher: () => unknown = () => undefined): () => number {
  let peak = residentBytes(pid);
  const sample = () => {
    const now = residentBytes(pid);
    if (now <= peak) return;
    peak = now;
    onHigher();
  };
  const timer = setInterval(sample, sampleMilliseconds);
  return () => {
    clearInterval(timer);
    sample();
    return peak;
  };
}

/** Ticks of processor time that a process and its descendants have had. */
function ticksOf(pid: number): number {
  let ticks = 0;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Its own time, and that of children that have ended, behind the name in parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    for (const field of fields.slice(11, 15)) ticks += Number(field);
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8');
      for (const child of children.trim().split(' ').filter(Boolean))
        ticks += ticksOf(Number(child));
    }
  } catch {
    // It has ended meanwhile.
  }
  return ticks;
}

/** Ticks that all cores were busy for, and those that another machine had of them. */
function busyTicks(): number {
  const cpu = /^cpu +(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(' ') ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = cpu.map(Number);
  return user + nice + system + irq + softirq + steal;
}

/**
 * Follows whose the machine is: the function that it returns tells which share of the processor time in use
 * other processes had than this one and its descendants, 0 to 1; `undefined` where only Linux can tell.
 */
export function watchOthers(): () => number | undefined {
  if (process.platform !== 'linux') return () => undefined;
  const [busy, own] = [busyTicks(), ticksOf(process.pid)];
  return () => {
    const all = busyTicks() - busy;
    return all === 0 ? 0 : Math.max(0, 1 - (ticksOf(process.pid) - own) / all);
  };
}
