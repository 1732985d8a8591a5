/** What a process has used, as the kernel says it: on a machine that is busy the clock says little. */
import { readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;

/** Of user and system together; 0 where the process is gone. */
export function processorSeconds(pid: number): number {
  const [, rest = ''] = read(`/proc/${pid}/stat`).split(') ');
  const fields = rest.split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
}

/** VmRSS now, or VmHWM at the most, in MB. */
export function residentMb(pid: number, field: 'VmRSS' | 'VmHWM' = 'VmRSS'): number {
  const [, kib = '0'] =
    new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(read(`/proc/${pid}/status`)) ?? [];
  return (Number(kib) * 1024) / 1e6;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
