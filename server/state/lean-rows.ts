/**
 * The instances of a service, and those on a node, say the same things over and over, and each row comes
 * with strings and objects of its own. A row takes over whatever another of them already has: by a hundred
 * thousand instances that is half of the memory. What a row says stays the same to the byte. Rows are written
 * field by field: to spread them costs several times as much, and a command may bring thousands.
 */
import { hasLaterFields, laterFields } from '../../lib/later-fields.ts';
import type { Check, Instance, Node, StringMap, Weights } from '../../lib/model.ts';
import { withFields } from '../../lib/with-fields.ts';

const EMPTY: Readonly<Record<string, never>> = Object.freeze({});

export interface BesideInstance {
  /** The one that it is on. */
  readonly node: Node | undefined;
  /** Any other instance of the service. */
  readonly sibling: Instance | undefined;
  /** Any other instance on the node. */
  readonly neighbour: Instance | undefined;
}

export function leanInstance(
  row: Instance,
  { node, sibling, neighbour }: BesideInstance,
): Instance {
  const Meta = sharedMap(row.Meta, sibling?.Meta);
  const lean = {
    Kind: row.Kind,
    ID: row.ID,
    Service: sharedText(row.Service, sibling?.Service),
    Tags: sharedList(row.Tags, sibling?.Tags),
    Address: sharedText(row.Address, neighbour?.Address),
    TaggedAddresses: row.TaggedAddresses,
    Meta: Meta === row.Meta ? sharedMap(Meta, neighbour?.Meta) : Meta,
    Port: row.Port,
    Weights: sharedMap<Weights>(row.Weights, sibling?.Weights),
    EnableTagOverride: row.EnableTagOverride,
    Proxy: isEmpty(row.Proxy) ? EMPTY : row.Proxy,
    Connect: isEmpty(row.Connect) ? EMPTY : row.Connect,
    Node: sharedText(row.Node, node?.Node),
    CreateIndex: row.CreateIndex,
    ModifyIndex: row.ModifyIndex,
  };
  return hasLaterFields(row) ? withFields(lean, laterFields(row)) : lean;
}

export interface BesideCheck {
  /** The one that is checked. */
  readonly instance: Instance | undefined;
  /** Any other check of the same service. */
  readonly sibling: Check | undefined;
  /** Its output, as it is kept already. */
  readonly said: string;
}

export function leanCheck(row: Check, { instance, sibling, said }: BesideCheck): Check {
  return {
    CheckID: row.CheckID,
    Name: sharedText(row.Name, sibling?.Name),
    Status: row.Status,
    Notes: row.Notes,
    Output: sharedText(said, sibling?.Output),
    ServiceID: sharedText(row.ServiceID, instance?.ID),
    Type: row.Type,
    Definition: isEmpty(row.Definition)
      ? EMPTY
      : sharedMap(row.Definition as StringMap, sibling?.Definition as StringMap | undefined),
    Node: sharedText(row.Node, instance?.Node),
    ServiceName: sharedText(row.ServiceName, instance?.Service),
    ServiceTags: sharedList(row.ServiceTags, instance?.Tags),
    CreateIndex: row.CreateIndex,
    ModifyIndex: row.ModifyIndex,
  };
}

/** Equal strings may still be two strings. */
function sharedText(own: string, other: string | undefined): string {
  return own === other ? other : own;
}

function sharedList(own: readonly string[], other: readonly string[] | undefined) {
  if (other === undefined || other.length !== own.length) return own;
  return own.every((text, i) => text === other[i]) ? other : own;
}

/** The same keys in the same order: a row is written as it was sent. */
function sharedMap<T extends object | null>(own: T, other: T | null | undefined): T {
  if (own === null || other === null || other === undefined) return own;
  const entries = Object.entries(own);
  const others = Object.entries(other);
  const isSame =
    entries.length === others.length &&
    entries.every(([key, value], i) => key === others[i]?.[0] && value === others[i]?.[1]);
  return isSame ? other : own;
}

function isEmpty(map: object): boolean {
  for (const _ in map) return false;
  return true;
}
