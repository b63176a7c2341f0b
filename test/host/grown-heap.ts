/** A process that lets its heap grow, fills some of it, and collects: `node --expose-gc`. */
import { letHeapGrow } from '../../src/host/heap-growth.js';

declare const gc: () => void;

letHeapGrow();
const kept = Array.from({ length: 300_000 }, (_, n) => ({ n, text: `kept ${n}` }));
gc();
if (kept.length === 0) throw new Error('They are in use.');
