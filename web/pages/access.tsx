/** Access control: who one is and what that comes to, and what tokens, policies, roles and methods there are. */
import '../style/access.css';
import type { ComponentChildren } from 'preact';
import {
  type AccessKind,
  type MethodRow,
  mayWriteAccess,
  type PolicyRow,
  type RoleRow,
  type TokenRow,
} from '../core/access.ts';
import { useLive } from '../core/live.ts';
import type { Shown as Answer } from '../core/live-query.ts';
import { compare } from '../core/order.ts';
import { isControlled } from '../core/rights.ts';
import { href, query } from '../core/router.ts';
import { ExpiresAt, Me } from '../ui/access-me.tsx';
import { Copyable } from '../ui/commands.tsx';
import { Empty } from '../ui/empty.tsx';
import { useFilter } from '../ui/filter-box.tsx';
import { Filtered } from '../ui/filtered.tsx';
import { GrantLinks, grantTexts } from '../ui/grants.tsx';
import { Heading } from '../ui/heading.tsx';
import { May } from '../ui/may.tsx';
import type { Column } from '../ui/table.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { Ago } from '../ui/time.tsx';
import { accessFormWords } from '../words/access-form-words.ts';
import { accessWords } from '../words/access-words.ts';

export function Page() {
  const say = accessWords.value;
  const tabs = [
    { name: 'me', title: say.me, show: () => <Me /> },
    { name: 'tokens', title: say.tokens, show: () => <Tokens /> },
    { name: 'policies', title: say.policies, show: () => <Policies /> },
    { name: 'roles', title: say.roles, show: () => <Roles /> },
    { name: 'methods', title: say.methods, show: () => <Methods /> },
  ];
  return (
    <>
      <Heading title={say.title}>
        <MakeOne />
      </Heading>
      <Tabs label={say.title} tabs={tabs} />
    </>
  );
}

/** Of what is shown. */
function MakeOne() {
  const say = accessFormWords.value;
  const kind = query.value.get('show') ?? '';
  const makes = {
    tokens: say.newToken,
    policies: say.newPolicy,
    roles: say.newRole,
    methods: say.newMethod,
  };
  const title = Object.entries(makes).find(([name]) => name === kind)?.[1];
  if (title === undefined || !isControlled.value) return null;
  return (
    <May right={mayWriteAccess}>
      <a class="button" href={href('access', 'new', kind)}>
        {title}
      </a>
    </May>
  );
}

interface ListProps<Row> {
  readonly kind: AccessKind;
  readonly of: Answer<readonly Row[]>;
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string;
  readonly textsOf: (row: Row) => readonly string[];
  readonly sortedBy: string;
  readonly none: ComponentChildren;
}

function List<Row>({ kind, of, ...rest }: ListProps<Row>) {
  const say = accessWords.value;
  const filter = useFilter({ hasExpressions: false });
  return (
    <Filtered
      {...rest}
      of={of}
      sees={{ Resource: 'acl', Access: 'read' }}
      filter={filter}
      noMatch={<Empty title={say.noMatch} hint={say.noMatchHint} />}
      label={say[kind]}
      kind={`access-${kind}`}
    />
  );
}

function Tokens() {
  const say = accessWords.value;
  const live = useLive<readonly TokenRow[]>('/v1/acl/tokens');
  const byName = (a: TokenRow, b: TokenRow) =>
    compare(a.Description, b.Description) || compare(a.AccessorID, b.AccessorID);
  return (
    <List
      kind="tokens"
      of={live}
      textsOf={(row) => [row.Description, row.AccessorID, row.AuthMethod ?? '', ...grantTexts(row)]}
      none={
        <Empty title={say.noTokens} hint={say.noTokensHint}>
          <Copyable text="proconsul acl token create -policy-name=NAME" />
        </Empty>
      }
      keyOf={({ AccessorID }) => AccessorID}
      sortedBy="name"
      columns={[
        {
          name: 'name',
          title: say.token,
          cell: ({ AccessorID, Description, Local }) => (
            <>
              <a class="whole-row" href={href('access', 'tokens', AccessorID)}>
                {Description || AccessorID}
              </a>
              {Local && <span class="aside">{say.local}</span>}
            </>
          ),
          compare: byName,
        },
        {
          name: 'id',
          title: say.accessor,
          cell: ({ AccessorID }) => <code>{AccessorID}</code>,
          compare: (a, b) => compare(a.AccessorID, b.AccessorID),
        },
        { name: 'gives', title: say.gives, cell: (row) => <GrantLinks of={row} /> },
        {
          name: 'method',
          title: say.from,
          cell: ({ AuthMethod }) => AuthMethod,
          compare: (a, b) => compare(a.AuthMethod ?? '', b.AuthMethod ?? '') || byName(a, b),
        },
        {
          name: 'created',
          title: say.created,
          cell: ({ CreateTime }) => <MadeAt time={CreateTime} />,
          compare: (a, b) => compare(b.CreateTime, a.CreateTime),
        },
        { name: 'expires', title: say.expires, cell: (row) => <ExpiresAt of={row} /> },
      ]}
    />
  );
}

/** Of what has always been there nobody knows it. */
function MadeAt({ time }: { readonly time: string }) {
  const at = Date.parse(time);
  return at > 0 ? <Ago at={at} /> : null;
}

function Policies() {
  const say = accessWords.value;
  const live = useLive<readonly PolicyRow[]>('/v1/acl/policies');
  return (
    <List
      kind="policies"
      of={live}
      textsOf={({ Name, Description, ID }) => [Name, Description, ID]}
      none={
        <Empty title={say.noPolicies} hint={say.noPoliciesHint}>
          <Copyable text="proconsul acl policy create -name=NAME -rules=@rules.hcl" />
        </Empty>
      }
      keyOf={({ ID }) => ID}
      sortedBy="name"
      columns={[nameColumn('policies', say.policy), descriptionColumn()]}
    />
  );
}

function Roles() {
  const say = accessWords.value;
  const live = useLive<readonly RoleRow[]>('/v1/acl/roles');
  return (
    <List
      kind="roles"
      of={live}
      textsOf={(row) => [row.Name, row.Description, row.ID, ...grantTexts(row)]}
      none={<Empty title={say.noRoles} hint={say.noRolesHint} />}
      keyOf={({ ID }) => ID}
      sortedBy="name"
      columns={[
        nameColumn('roles', say.role),
        { name: 'gives', title: say.gives, cell: (row) => <GrantLinks of={row} /> },
        descriptionColumn(),
      ]}
    />
  );
}

function Methods() {
  const say = accessWords.value;
  const live = useLive<readonly MethodRow[]>('/v1/acl/auth-methods');
  return (
    <List
      kind="methods"
      of={live}
      textsOf={({ Name, Type, DisplayName = '', Description = '' }) => [
        Name,
        Type,
        DisplayName,
        Description,
      ]}
      none={<Empty title={say.noMethods} hint={say.noMethodsHint} />}
      keyOf={({ Name }) => Name}
      sortedBy="name"
      columns={[
        {
          name: 'name',
          title: say.method,
          cell: ({ Name, DisplayName }) => (
            <>
              <a class="whole-row" href={href('access', 'methods', Name)}>
                {Name}
              </a>
              <span class="aside">{DisplayName}</span>
            </>
          ),
          compare: (a, b) => compare(a.Name, b.Name),
        },
        {
          name: 'type',
          title: say.type,
          cell: ({ Type }) => Type,
          compare: (a, b) => compare(a.Type, b.Type) || compare(a.Name, b.Name),
        },
        descriptionColumn(),
      ]}
    />
  );
}

interface Named {
  readonly ID: string;
  readonly Name: string;
}

function nameColumn<Row extends Named>(kind: AccessKind, title: string): Column<Row> {
  return {
    name: 'name',
    title,
    cell: ({ ID, Name }) => (
      <a class="whole-row" href={href('access', kind, ID)}>
        {Name}
      </a>
    ),
    compare: (a, b) => compare(a.Name, b.Name),
  };
}

function descriptionColumn<Row extends { readonly Description?: string }>(): Column<Row> {
  return {
    name: 'description',
    title: accessWords.value.description,
    cell: ({ Description }) => <span class="aside">{Description}</span>,
  };
}
