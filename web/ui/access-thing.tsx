/** One thing of access control: where it is, that there is none, and how it is edited. */
import type { ComponentChildren } from 'preact';
import { type AccessKind, mayReadAccess } from '../core/access.ts';
import { withQuery } from '../core/asked-path.ts';
import type { Shown as Answer } from '../core/live-query.ts';
import { useMay } from '../core/rights.ts';
import { go, href, query, setQuery } from '../core/router.ts';
import { accessWords } from '../words/access-words.ts';
import { Empty } from './empty.tsx';
import { Shown } from './shown.tsx';

interface ThingProps<T> {
  readonly kind: AccessKind;
  readonly of: Answer<T>;
  /** An address may say anything: what can be no id is not asked for. */
  readonly isId?: boolean;
  readonly children: (value: T) => ComponentChildren;
}

export function Thing<T>({ kind, of, isId: mayBe = true, children }: ThingProps<T>) {
  const mayRead = useMay(mayReadAccess);
  const none = <None kind={kind} />;
  // Of a token or a policy that is not there, Consul says so with the status of a refusal.
  if (!mayBe || (of.standing === 'forbidden' && mayRead)) return none;
  return (
    <Shown of={of} missing={none}>
      {children}
    </Shown>
  );
}

export function isId(text: string): boolean {
  return /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text);
}

function None({ kind }: { readonly kind: AccessKind }) {
  const say = accessWords.value;
  return (
    <Empty title={say.gone} hint={say.goneHint}>
      <a class="button" href={listHref(kind)}>
        {say.toList}
      </a>
    </Empty>
  );
}

/** What stands in front of its name. */
export function Kind({ kind }: { readonly kind: AccessKind }) {
  const say = accessWords.value;
  const names = {
    tokens: say.token,
    policies: say.policy,
    roles: say.role,
    methods: say.method,
  };
  return <a href={listHref(kind)}>{names[kind]}</a>;
}

export function listHref(kind: AccessKind): string {
  return withQuery(href('access'), { show: kind });
}

export function toList(kind: AccessKind): void {
  go(listHref(kind), { replaces: true });
}

export function asksToEdit(): boolean {
  return query.value.get('edit') === 'yes';
}

export function edit(isOn: boolean): void {
  setQuery({ edit: isOn ? 'yes' : '' });
}
