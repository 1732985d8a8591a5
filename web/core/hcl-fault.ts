/** Loaded when HCL is first shown. It is read as Consul reads it: the HCL of Terraform is another language. */
import { parseHclItems } from '../../lib/config/hcl-syntax.ts';
import type { Fault } from './fault.ts';

export function hclFault(text: string): Fault | undefined {
  try {
    parseHclItems(text);
    return undefined;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, line = 0, column = 0, says = message] = /(\d+):(\d+): (.*)$/s.exec(message) ?? [];
    return { line: Number(line), column: Number(column), says };
  }
}
