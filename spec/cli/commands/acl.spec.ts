import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';

const POLICY = {
  ID: '11111111-0000-0000-0000-000000000001',
  Name: 'app',
  Description: 'desc',
  Rules: 'key_prefix "app/" {\n  policy = "write"\n}\n',
  Hash: 'swIQ',
  CreateIndex: 3,
  ModifyIndex: 4,
};

const TOKEN = {
  AccessorID: 'aaaa1111-0000-0000-0000-000000000001',
  SecretID: 'bbbb1111-0000-0000-0000-000000000001',
  Description: 't',
  Policies: [{ ID: POLICY.ID, Name: 'app' }],
  Roles: [{ ID: '22222222-0000-0000-0000-000000000001', Name: 'ops' }],
  ServiceIdentities: [{ ServiceName: 'web' }, { ServiceName: 'db', Datacenters: ['dc1', 'dc2'] }],
  NodeIdentities: [{ NodeName: 'n7', Datacenter: 'dc1' }],
  Local: true,
  ExpirationTime: '2026-01-02T04:04:05.6Z',
  CreateTime: '2026-01-02T03:04:05.6+01:00',
  Hash: 'swIQ',
  CreateIndex: 5,
  ModifyIndex: 6,
};

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly token: unknown;
  readonly body: unknown;
}

/** An agent that gives the same answers whatever it is told, and remembers what that was. */
async function start(answers: Readonly<Record<string, unknown>>) {
  const asked: Asked[] = [];
  const { port } = await serveHttp(async (request, response) => {
    const { method, url } = request;
    const text = Buffer.concat((await request.toArray()) as Buffer[]).toString();
    const token = request.headers['x-consul-token'];
    asked.push({ method, url, token, body: text.startsWith('{') ? JSON.parse(text) : text });
    const answer = answers[`${method} ${url}`];
    if (answer === undefined) response.writeHead(403).end('ACL not found');
    else response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  return { asked, run: commandLineOf(port) };
}

describe('proconsul acl token', () => {
  it('shows a token with all that it stands for', async () => {
    const { run } = await start({ [`GET /v1/acl/token/${TOKEN.AccessorID}`]: TOKEN });
    const { out } = await run(`acl token read -id=${TOKEN.AccessorID} -meta`);
    assert.equal(
      out,
      `AccessorID:       ${TOKEN.AccessorID}
SecretID:         ${TOKEN.SecretID}
Description:      t
Local:            true
Create Time:      2026-01-02 03:04:05.6 +0100 +0100
Expiration Time:  2026-01-02 04:04:05.6 +0000 UTC
Hash:             b30210
Create Index:     5
Modify Index:     6
Policies:
   ${POLICY.ID} - app
Roles:
   22222222-0000-0000-0000-000000000001 - ops
Service Identities:
   web (Datacenters: all)
   db (Datacenters: dc1, dc2)
Node Identities:
   n7 (Datacenter: dc1)

`,
    );
  });

  it('finds it by how its accessor begins, if no other does', async () => {
    const other = { ...TOKEN, AccessorID: 'aaaa2222-0000-0000-0000-000000000001' };
    const { run } = await start({
      'GET /v1/acl/tokens': [TOKEN, other],
      [`GET /v1/acl/token/${TOKEN.AccessorID}`]: TOKEN,
    });
    assert.match((await run('acl token read -id=aaaa1')).out, /^AccessorID: +aaaa1111/);
    const two = await run('acl token read -id=aaaa');
    assert.equal(two.err, 'Error determining token ID: Partial token ID is not unique\n');
    const none = await run('acl token delete -id=c');
    assert.equal(none.err, 'Error determining token ID: No such token ID with prefix: c\n');
  });

  it('lists tokens without secrets, as JSON with the fields that a client of Go has', async () => {
    const { SecretID: _, ...listed } = TOKEN;
    const { run } = await start({ 'GET /v1/acl/tokens': [listed, listed] });
    const { out } = await run('acl token list');
    assert.equal(out.match(/^AccessorID: .*\nDescription: +t\n/gm)?.length, 2);
    assert.match(out, /dc1\)\n\nAccessorID:/);
    const json = JSON.parse((await run('acl token list -format=json')).out);
    assert.deepEqual(json, [
      { ...listed, Legacy: false },
      { ...listed, Legacy: false },
    ]);
  });

  it('makes one of links by name, ID and the beginning of an ID', async () => {
    const { asked, run } = await start({
      'GET /v1/acl/policies': [POLICY],
      'PUT /v1/acl/token': TOKEN,
    });
    await run(
      'acl token create -policy-id=1111 -policy-name=b -role-name=c -service-identity=web:x,y -node-identity=n:dc1 -expires-ttl=1h -local -description=d',
    );
    assert.deepEqual(asked.at(-1)?.body, {
      Description: 'd',
      Local: true,
      AccessorID: '',
      SecretID: '',
      ExpirationTTL: 3600e9,
      Policies: [{ Name: 'b' }, { ID: POLICY.ID }],
      Roles: [{ Name: 'c' }],
      ServiceIdentities: [{ ServiceName: 'web', Datacenters: ['x', 'y'] }],
      NodeIdentities: [{ NodeName: 'n', Datacenter: 'dc1' }],
    });
  });

  it('makes none that stands for nothing, or that it could not show afterwards', async () => {
    const { asked, run } = await start({ 'PUT /v1/acl/token': TOKEN });
    assert.match((await run('acl token create')).err, /^Cannot create a token without specifying/);
    const format = await run('acl token create -policy-name=a -format=xml');
    assert.equal(format.err, 'Unknown format: xml\n');
    const ttl = await run('acl token create -policy-name=a -expires-ttl=x');
    assert.equal(ttl.err, 'invalid value "x" for flag -expires-ttl: parse error\n');
    const node = await run('acl token create -node-identity=a:b:c');
    assert.equal(node.err, 'Malformed -node-identity argument: "a:b:c"\n');
    assert.deepEqual(asked, []);
  });

  it('replaces what a token stands for, or adds to it', async () => {
    const path = `/v1/acl/token/${TOKEN.AccessorID}`;
    const { asked, run } = await start({ [`GET ${path}`]: TOKEN, [`PUT ${path}`]: TOKEN });
    const words = `acl token update -id=${TOKEN.AccessorID} -policy-name=app -policy-name=new -service-identity=web:dc9`;
    await run(words);
    const replaced = asked.at(-1)?.body as typeof TOKEN;
    assert.deepEqual(replaced.Policies, [{ Name: 'app' }, { Name: 'new' }]);
    assert.deepEqual([replaced.Roles, replaced.NodeIdentities], [[], []]);
    assert.equal(replaced.Description, 't');
    await run(
      `${words} -merge-policies -merge-roles -merge-service-identities -merge-node-identities -node-identity=n7:dc1`,
    );
    const merged = asked.at(-1)?.body as typeof TOKEN;
    assert.deepEqual(merged.Policies, [{ ID: POLICY.ID, Name: 'app' }, { Name: 'new' }]);
    assert.deepEqual(merged.Roles, TOKEN.Roles);
    assert.deepEqual(merged.NodeIdentities, TOKEN.NodeIdentities);
    assert.deepEqual(merged.ServiceIdentities, [
      { ServiceName: 'web', Datacenters: ['dc9'] },
      { ServiceName: 'db', Datacenters: ['dc1', 'dc2'] },
    ]);
    const legacy = await run(`acl token update -id=${TOKEN.AccessorID} -upgrade-legacy`);
    assert.equal(legacy.err, "Can't use -upgrade-legacy on a non-legacy token\n");
  });
});

describe('proconsul acl policy and role', () => {
  it('shows a policy with its rules as they stand, and lists policies without', async () => {
    const { run } = await start({
      'GET /v1/acl/policies': [POLICY],
      [`GET /v1/acl/policy/${POLICY.ID}`]: POLICY,
    });
    const { out } = await run('acl policy read -name=app');
    assert.equal(
      out,
      `ID:           ${POLICY.ID}\nName:         app\nDescription:  desc\nDatacenters:  \nRules:\n${POLICY.Rules}\n`,
    );
    const json = JSON.parse((await run('acl policy read -id=1111 -format=json')).out);
    assert.deepEqual(json, { ...POLICY, Datacenters: null });
    const list = await run('acl policy list');
    assert.equal(
      list.out,
      `app:\n   ID:           ${POLICY.ID}\n   Description:  desc\n   Datacenters:  \n\n`,
    );
    const none = await run('acl policy read -name=none');
    assert.equal(none.err, 'Error determining policy ID: No such policy with name none\n');
  });

  it('changes what is given of a policy, or everything', async () => {
    const path = `/v1/acl/policy/${POLICY.ID}`;
    const { asked, run } = await start({ [`GET ${path}`]: POLICY, [`PUT ${path}`]: POLICY });
    await run(`acl policy update -id=${POLICY.ID} -rules=-`, { stdin: 'key "a" {}' });
    assert.deepEqual(asked.at(-1)?.body, { ...POLICY, Rules: 'key "a" {}' });
    await run(`acl policy update -id=${POLICY.ID} -no-merge -name=b`);
    assert.deepEqual(asked.at(-1)?.body, { ID: POLICY.ID, Name: 'b' });
  });

  it('reads a role by name, and says which is not there', async () => {
    const { run } = await start({
      'GET /v1/acl/role/name/ops': { ...POLICY, Name: 'ops', Policies: TOKEN.Policies },
    });
    const { out } = await run('acl role read -name=ops');
    assert.match(out, /^Name: +ops\n(.*\n)*Policies:\n {3}.* - app\n\n$/m);
    const lonely = await run('acl role create -name=x');
    assert.match(lonely.err, /^Cannot create a role without specifying/);
    const nameless = await run('acl role create');
    assert.match(nameless.err, /^Missing require '-name' flag\nUsage: proconsul acl role create/);
  });
});

describe('proconsul acl with legacy rules', () => {
  const legacy = { ...TOKEN, Rules: 'key "" {}' };
  const answers = {
    'GET /v1/acl/tokens': [legacy],
    'GET /v1/acl/token/self': legacy,
    [`GET /v1/acl/token/${TOKEN.AccessorID}`]: legacy,
    'POST /v1/acl/rules/translate': 'key_prefix "" {}',
    'PUT /v1/acl/policy': POLICY,
  };

  it('translates rules, also those of a token, whose secret goes as the token that asks', async () => {
    const { asked, run } = await start(answers);
    const { out } = await run('acl translate-rules -', { stdin: 'key "" {}' });
    assert.equal(out, 'key_prefix "" {}\n');
    await run('acl translate-rules -token-accessor aaaa');
    assert.equal(asked.at(-1)?.body, 'key "" {}');
    const secret = ' s3cret\n';
    await run('acl translate-rules -token=mine -token-secret -', { stdin: secret });
    assert.equal(asked.at(-2)?.token, 's3cret');
    await run('acl policy create -name=p -from-token=aaaa');
    assert.deepEqual(asked.at(-1)?.body, {
      Name: 'p',
      Description: '',
      Datacenters: [],
      Rules: 'key_prefix "" {}',
    });
  });

  it('says of a token of today that it has none', async () => {
    const { run } = await start({ [`GET /v1/acl/token/${TOKEN.AccessorID}`]: TOKEN });
    const { err } = await run(`acl translate-rules -token-accessor ${TOKEN.AccessorID}`);
    assert.equal(err, 'Token is not a legacy token with rules\n');
  });
});

describe('proconsul acl set-agent-token', () => {
  it('gives the agent its token in a body, and knows the slots', async () => {
    const { asked, run } = await start({ 'PUT /v1/agent/token/agent_master': '' });
    const { out } = await run('acl set-agent-token master s3cret');
    assert.equal(out, 'ACL token "master" set successfully\n');
    assert.deepEqual(asked[0]?.body, { Token: 's3cret' });
    assert.equal((await run('acl set-agent-token nope x')).err, 'Unknown token type\n');
    const alone = await run('acl set-agent-token agent');
    assert.equal(alone.err, 'Error! Missing TOKEN argument\n');
  });
});

describe('proconsul acl auth-method and binding-rule', () => {
  it('shows a method with its configuration, and takes it from a file or from flags', async () => {
    const method = { Name: 'k', Type: 'kubernetes', Config: { Host: '<&>' }, CreateIndex: 1 };
    const { asked, run } = await start({
      'PUT /v1/acl/auth-method': method,
      'GET /v1/acl/auth-method/k': method,
      'PUT /v1/acl/auth-method/k': method,
    });
    const words = 'acl auth-method create -name=k -type=kubernetes';
    const { out } = await run(
      `${words} -kubernetes-host=h -kubernetes-ca-cert=c -kubernetes-service-account-jwt=j -max-token-ttl=90s`,
    );
    const pretty = 'Name:          k\nType:          kubernetes\nDescription:   \nConfig:\n';
    assert.equal(out, `${pretty}{\n  "Host": "\\u003c\\u0026\\u003e"\n}\n`);
    assert.deepEqual(asked[0]?.body, {
      Name: 'k',
      Type: 'kubernetes',
      MaxTokenTTL: '90s',
      Config: { Host: 'h', CACert: 'c', ServiceAccountJWT: 'j' },
    });
    const less = await run(`${words} -kubernetes-host=h`);
    assert.equal(less.err, "Missing required '-kubernetes-ca-cert' flag\n");
    await run('acl auth-method update -name=k -kubernetes-service-account-jwt=j2 -display-name=D');
    assert.deepEqual(asked.at(-1)?.body, {
      ...method,
      DisplayName: 'D',
      Config: { Host: '<&>', ServiceAccountJWT: 'j2' },
    });
    const json = await run('acl auth-method create -name=j -type=jwt -config=nonsense');
    assert.match(json.err, /^Error parsing JSON configuration file: invalid character 'o'/);
  });

  it('keeps of a rule what is not given', async () => {
    const rule = { ID: POLICY.ID, AuthMethod: 'm', Description: 'd', BindType: 'role' };
    const path = `/v1/acl/binding-rule/${POLICY.ID}`;
    const { asked, run } = await start({ [`GET ${path}`]: rule, [`PUT ${path}`]: rule });
    await run(`acl binding-rule update -id=${POLICY.ID} -bind-name=x`);
    assert.deepEqual(asked.at(-1)?.body, { ...rule, BindName: 'x' });
    await run(`acl binding-rule update -id=${POLICY.ID} -no-merge -bind-name=x`);
    const body = asked.at(-1)?.body as typeof rule;
    assert.deepEqual([body.AuthMethod, body.BindType, body.Description], ['m', 'service', '']);
  });
});

describe('proconsul login', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'proconsul-login-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('writes the secret to a file that nobody else can read, and prints it nowhere', async () => {
    const { asked, run } = await start({
      'POST /v1/acl/login': TOKEN,
      'POST /v1/acl/logout': 'true',
    });
    const bearer = join(folder, 'jwt');
    const sink = join(folder, 'sink');
    writeFileSync(bearer, 'proof\n');
    writeFileSync(sink, 'old', { mode: 0o644 });
    const words = `login -method=m -bearer-token-file=${bearer} -token-sink-file=${sink} -meta=a=b=c`;
    const { code, out, err } = await run(words);
    assert.deepEqual([code, out, err], [0, '', '']);
    assert.deepEqual(asked[0]?.body, {
      AuthMethod: 'm',
      BearerToken: 'proof',
      Meta: { a: 'b=c' },
    });
    assert.equal(readFileSync(sink, 'utf8'), TOKEN.SecretID);
    assert.equal(statSync(sink).mode & 0o777, 0o600);
    await run(`logout -token-file=${sink}`);
    assert.equal(asked.at(-1)?.token, TOKEN.SecretID);
  });

  it('says which flag is missing, and that a file holds nothing', async () => {
    const { run } = await start({});
    const missing = await run('login -method=m -bearer-token-file=x');
    assert.equal(missing.err, "Missing required '-token-sink-file' flag\n");
    const empty = join(folder, 'empty');
    writeFileSync(empty, ' \n');
    const { err } = await run(`login -method=m -bearer-token-file=${empty} -token-sink-file=s`);
    assert.equal(err, `No bearer token found in ${empty}\n`);
  });
});
