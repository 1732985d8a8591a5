/**
 * What of a transaction makes a row of the catalog what it ought to be: nothing where it is so already, and nothing
 * where somebody else has written it since it was read.
 */
import { sameJson } from '../../lib/equal.ts';
import { listIn, objectIn } from '../api/shapes.ts';
import type { WantedCheck, WantedInstance } from './instances.ts';
import type { RegisteredRow } from './rows.ts';

/** One operation of /v1/txn. */
export type Operation = Readonly<Record<string, object>>;

/**
 * `isSure` where the row was read since others wrote last; else even a check is set only with its instance, as that was
 * seen.
 */
export function differences(
  node: string,
  wanted: WantedInstance | undefined,
  row: RegisteredRow | undefined,
  isSure = true,
): readonly Operation[] {
  if (wanted === undefined) return row === undefined ? [] : [removal(node, row)];
  const { service, checks } = wanted;
  const ModifyIndex = row?.service['ModifyIndex'] ?? 0;
  const set = { Service: { Verb: 'cas', Node: node, Service: { ...service, ModifyIndex } } };
  const isSame = row !== undefined && saysService(row, wanted);
  const before = row?.checks ?? new Map();
  const late = checks.filter((check) => !saysCheck(before.get(check.CheckID), check));
  const left = [...before.keys()].filter((id) => !checks.some(({ CheckID }) => CheckID === id));
  const isBare = isSure || late.length + left.length === 0;
  return [
    ...(isSame && isBare ? [] : [set]),
    ...late.map((check) => ({
      Check: { Verb: 'set', Check: { ...check, Node: node, ServiceID: service.ID } },
    })),
    ...left.map((CheckID) => ({ Check: { Verb: 'delete', Check: { Node: node, CheckID } } })),
  ];
}

function removal(node: string, { service }: RegisteredRow): Operation {
  const { ID, Service, ModifyIndex } = service;
  // Its checks go with it.
  return { Service: { Verb: 'delete-cas', Node: node, Service: { ID, Service, ModifyIndex } } };
}

function saysService({ service: said }: RegisteredRow, { service }: WantedInstance): boolean {
  return (
    said['Service'] === service.Service &&
    said['Address'] === service.Address &&
    said['Port'] === service.Port &&
    sameJson(listIn(said['Tags']), service.Tags) &&
    sameJson(objectIn(said['Meta']), service.Meta) &&
    sameJson(said['Weights'], service.Weights)
  );
}

const SAID = ['Name', 'Status', 'Notes', 'Output'] as const;

function saysCheck(said: Readonly<Record<string, unknown>> | undefined, check: WantedCheck) {
  return said !== undefined && SAID.every((field) => said[field] === check[field]);
}
