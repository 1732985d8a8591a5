/** What stands somewhere by now, whoever wrote it. */
import { ask } from './api.ts';
import { Refusal } from './refusal.ts';

/** Undefined where there is nothing, in whichever form that is answered. */
export async function seenAt(at: string, datacenter: string | undefined): Promise<unknown> {
  try {
    const { value } = await ask<unknown>(at, { datacenter });
    if (Array.isArray(value)) return value[0];
    return isObject(value) && Object.keys(value).length === 0 ? undefined : value;
  } catch (error) {
    if (error instanceof Refusal && isMissing(error)) return undefined;
    throw error;
  }
}

/** Of a token or a policy that is not there, Consul says so with the status of a refusal. */
function isMissing({ why, message }: Refusal): boolean {
  return why === 'missing' || message.startsWith('ACL not found');
}

/** 0 where there is nothing, or nothing that has one. */
export function indexOf(row: unknown): number {
  if (!isObject(row)) return 0;
  const { ModifyIndex = 0 } = row as { readonly ModifyIndex?: number };
  return ModifyIndex;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
