/** What the templates put into the environment of the service and the service itself does not read. */
export const deployedEnvironment = {
  /** Of glibc: see docs/configuration.md, "Memory". */
  MALLOC_MMAP_THRESHOLD_: '262144',
} as const;
