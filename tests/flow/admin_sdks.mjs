// Drives the providers' own SDKs through the life of a key at the sandbox's admin APIs; one JSON line a step.
// Usage: node admin_sdks.mjs SDK SANDBOX_URL, with the admin secret on stdin.
import { webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';

globalThis.crypto ??= webcrypto; // Node 18, which is Debian 12's, does not have it there

const [sdk, url] = process.argv.slice(2);
const secret = readFileSync(0, 'utf8');
const say = (name, got) => console.log(JSON.stringify({ name, got }));
const later = new Date(Date.now() + 86_400_000);
const refused = async (run) => {
  try {
    await run();
    return null;
  } catch (error) {
    return error.status ?? error.statusCode ?? error.code ?? error.$metadata?.httpStatusCode ?? error.name;
  }
};

async function openai() {
  const { default: OpenAI } = await import('openai7');
  const rest = { apiKey: null, baseURL: url + '/v1', maxRetries: 0 };
  const client = (adminAPIKey) => new OpenAI({ adminAPIKey, ...rest });
  const { projects, adminAPIKeys, usage } = client(secret).admin.organization;
  const project_id = 'proj_sandbox';
  say('wrong', await refused(() => client('wrong').admin.organization.projects.apiKeys.list(project_id)));
  say('project', (await projects.retrieve(project_id)).id);
  const made = await projects.serviceAccounts.apiKeys.create('svc_acct_sandbox', {
    project_id, name: 'one', scopes: [], expires_in_seconds: 3600,
  });
  say('made', { id: made.id, secret: made.value, expires: made.expires_at > Date.now() / 1000 });
  const listed = [];
  const all = { limit: 1, owner_project_access: 'any' };
  for await (const key of projects.apiKeys.list(project_id, all)) listed.push(key);
  say('listed', listed.map((key) => [key.id, key.name, key.owner.service_account.id]));
  say('narrowed', (await projects.apiKeys.update(made.id, { project_id, scopes: ['api.all.read'] })).id);
  say('deleted', (await projects.apiKeys.delete(made.id, { project_id })).deleted);
  say('gone', await refused(() => projects.apiKeys.retrieve(made.id, { project_id })));
  const admin = await adminAPIKeys.create({ name: 'next' });
  const second = client(admin.value).admin.organization;
  say('admin', (await second.adminAPIKeys.retrieve(admin.id)).name);
  say('admin-deleted', (await second.adminAPIKeys.delete(admin.id)).deleted);
  const day = Math.floor(Date.now() / 86_400_000) * 86_400;
  const span = { start_time: day, end_time: day + 86_400 };
  const used = await usage.completions({ ...span, bucket_width: '1d', group_by: ['api_key_id', 'model'] });
  say('usage', used.data[0].results.map(
    (row) => [row.api_key_id, row.model, row.num_model_requests, row.input_tokens]));
  const costs = await usage.costs({ ...span, group_by: ['api_key_id'] });
  say('costs', costs.data[0].results.map((row) => [row.api_key_id, row.amount.value]));
}

async function anthropic() {
  const { default: Anthropic } = await import('@anthropic-ai/sdk');
  const client = (apiKey) => new Anthropic({ apiKey, baseURL: url, maxRetries: 0 });
  const keys = client(secret).beta.organization.apiKeys;
  say('wrong', await refused(() => client('wrong').beta.organization.apiKeys.list()));
  const listed = [];
  for await (const key of keys.list({ limit: 1 })) listed.push(key);
  say('listed', listed.map((key) => [key.id, key.name, key.status, key.partial_key_hint]));
  const { id } = listed[0];
  for (const status of ['inactive', 'active', 'archived'])
    say(status, (await keys.update(id, { status })).status);
  say('retrieved', (await keys.retrieve(id)).status);
}

async function openrouter() {
  const { OpenRouter } = await import('@openrouter/sdk');
  const rest = { serverURL: url + '/api/v1', retryConfig: { strategy: 'none' } };
  const client = (apiKey) => new OpenRouter({ apiKey, ...rest });
  const { apiKeys } = client(secret);
  say('wrong', await refused(() => client('wrong').apiKeys.list()));
  const wish = { name: 'one', limit: 25, limitReset: 'monthly', expiresAt: later };
  const made = await apiKeys.create({ requestBody: wish });
  say('made', { id: made.data.hash, secret: made.key, limit: made.data.limit });
  const page = await apiKeys.list({ includeDisabled: true });
  say('listed', (page.result ?? page).data.map((key) => [key.hash, key.name]));
  const changed = await apiKeys.update({ hash: made.data.hash, requestBody: { disabled: true } });
  say('disabled', changed.data.disabled);
  say('self', (await client(made.key).apiKeys.getCurrentKeyMetadata().catch((error) => error.statusCode)));
  say('deleted', (await apiKeys.delete({ hash: made.data.hash })).deleted);
  say('gone', await refused(() => apiKeys.get({ hash: made.data.hash })));
}

async function pinecone() {
  const { AdminClient } = await import('@pinecone-database/pinecone');
  // Its hosts are fixed: what goes to them is sent here.
  const hosts = /^https:\/\/(login|api)\.pinecone\.io/;
  const fetchApi = (target, init) => fetch(String(target).replace(hosts, url), init);
  const client = (clientSecret) => new AdminClient({ clientId: 'client', clientSecret, fetchApi });
  const { apiKeys } = client(secret);
  const project = '00000000-0000-4000-8000-0000000000aa';
  say('wrong', (await refused(() => client('wrong').apiKeys.list(project))) !== null);
  const made = await apiKeys.create(project, { name: 'one', roles: ['ProjectEditor'] });
  say('made', { id: made.key.id, secret: made.value, roles: made.key.roles });
  const listed = await apiKeys.list(project);
  say('listed', (listed.data ?? listed).map((key) => [key.id, key.name]));
  const changed = await apiKeys.update(made.key.id, { roles: ['DataPlaneViewer'] });
  say('narrowed', changed.roles);
  await apiKeys.delete(made.key.id);
  say('gone', (await refused(() => apiKeys.describe(made.key.id))) !== null);
}

async function aws() {
  const iam = await import('@aws-sdk/client-iam');
  const client = (secretAccessKey) => new iam.IAMClient({
    region: 'us-east-1', endpoint: url + '/aws', maxAttempts: 1,
    credentials: { accessKeyId: 'AKIASANDBOXADMIN', secretAccessKey },
  });
  const admin = client(secret);
  const UserName = 'bot';
  say('wrong', await refused(() => client('wrong').send(new iam.ListAccessKeysCommand({ UserName }))));
  const { AccessKey: key } = await admin.send(new iam.CreateAccessKeyCommand({ UserName }));
  say('made', { id: key.AccessKeyId, status: key.Status });
  await admin.send(new iam.CreateAccessKeyCommand({ UserName }));
  say('third', await refused(() => admin.send(new iam.CreateAccessKeyCommand({ UserName }))));
  const about = { UserName, AccessKeyId: key.AccessKeyId };
  await admin.send(new iam.UpdateAccessKeyCommand({ ...about, Status: 'Inactive' }));
  const listed = await admin.send(new iam.ListAccessKeysCommand({ UserName }));
  say('listed', listed.AccessKeyMetadata.map((one) => one.Status));
  const used = await admin.send(new iam.GetAccessKeyLastUsedCommand({ AccessKeyId: key.AccessKeyId }));
  say('used', used.UserName);
  await admin.send(new iam.DeleteAccessKeyCommand(about));
  say('gone', await refused(() => admin.send(new iam.DeleteAccessKeyCommand(about))));
  const ServiceName = 'bedrock.amazonaws.com';
  const specific = await admin.send(
    new iam.CreateServiceSpecificCredentialCommand({ UserName, ServiceName, CredentialAgeDays: 30 }));
  const bearer = specific.ServiceSpecificCredential;
  const { ServiceSpecificCredentialId } = bearer;
  say('bearer', { secret: bearer.ServiceCredentialSecret, expires: bearer.ExpirationDate > new Date() });
  const all = await admin.send(new iam.ListServiceSpecificCredentialsCommand({ UserName, ServiceName }));
  say('bearers', all.ServiceSpecificCredentials.map(
    (one) => one.ServiceSpecificCredentialId === ServiceSpecificCredentialId));
  await admin.send(new iam.DeleteServiceSpecificCredentialCommand({ UserName, ServiceSpecificCredentialId }));
}

async function azure() {
  const { CognitiveServicesManagementClient } = await import('@azure/arm-cognitiveservices');
  const { createDefaultHttpClient } = await import('@azure/core-rest-pipeline');
  // It sends tokens over TLS only: what it sends there is sent here without.
  const inner = createDefaultHttpClient();
  const httpClient = {
    sendRequest: (request) => {
      request.url = request.url.replace('https://management.azure.com', url + '/azure');
      request.allowInsecureConnection = true;
      return inner.sendRequest(request);
    },
  };
  const client = (token) => new CognitiveServicesManagementClient(
    { getToken: async () => ({ token, expiresOnTimestamp: +later }) }, 'subscription',
    { httpClient, retryOptions: { maxRetries: 0 } });
  const { accounts } = client(secret);
  say('wrong', await refused(() => client('wrong').accounts.listKeys('group', 'account')));
  const before = await accounts.listKeys('group', 'account');
  const after = await accounts.regenerateKey('group', 'account', 'Key2');
  say('made', { secret: after.key2, old: before.key2, kept: before.key1 === after.key1 });
}

async function google() {
  const { ApiKeysClient } = await import('@google-cloud/apikeys');
  const { hostname, port } = new URL(url);
  const client = (token) => new ApiKeysClient({
    fallback: true, apiEndpoint: hostname, port: Number(port), protocol: 'http', projectId: 'p',
    authClient: {
      getRequestHeaders: async () => new Headers({ authorization: 'Bearer ' + token }),
      fetch: (target, init) => {
        const headers = new Headers(init?.headers);
        headers.set('authorization', 'Bearer ' + token);
        return fetch(target, { ...init, headers });
      },
    },
  });
  const keys = client(secret);
  const parent = 'projects/42/locations/global';
  say('wrong', await refused(() => client('wrong').listKeys({ parent })));
  const [operation] = await keys.createKey({ parent, keyId: 'one', key: { displayName: 'one' } });
  const [key] = await operation.promise();
  const [{ keyString }] = await keys.getKeyString({ name: key.name });
  say('made', { id: key.name, secret: keyString });
  const [listed] = await keys.listKeys({ parent });
  say('listed', listed.map((one) => [one.name, one.displayName]));
  say('twice', await refused(() => keys.createKey({ parent, keyId: 'one', key: {} })));
  const [removal] = await keys.deleteKey({ name: key.name });
  await removal.promise();
  say('gone', await refused(() => keys.getKey({ name: key.name })));
}

await { openai, anthropic, openrouter, pinecone, aws, azure, google }[sdk]();
