// Drives the official Node SDKs through one scenario each and prints what came out, one JSON line a case.
// Usage: node sdks.mjs SDK GATE_URL, with the keys as JSON on stdin: {good, bad, scoped, limited, broke}.
import { readFileSync } from 'node:fs';

const [sdk, gate] = process.argv.slice(2);
const keys = JSON.parse(readFileSync(0, 'utf8'));
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const say = (name, got) => console.log(JSON.stringify({ name, ...got }));

async function attempt(name, run) {
  try {
    say(name, { ok: await run() });
  } catch (error) {
    say(name, {
      error: error.constructor.name, status: error.status, code: error.code ?? null, type: error.type ?? null,
      message: String(error.message).slice(0, 500),
    });
  }
}

async function openai(module) {
  const { default: OpenAI } = await import(module);
  const client = (key, options) => new OpenAI({ apiKey: key, baseURL: gate + '/v1', ...options });
  const hi = { model: 'gpt-4o-mini', input: 'hi' };
  const ask = (text, more) =>
    ({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: text }], ...more });
  const chat = (key, text, options, more) => client(key, options).chat.completions.create(ask(text, more));
  const good = client(keys.good);
  await attempt('answer', async () => (await chat(keys.good, 'hi')).choices[0].message.content);
  await attempt('stream', async () => {
    let text = '';
    let usage = 0;
    for await (const chunk of await chat(keys.good, 'hi', {}, { stream: true })) {
      text += chunk.choices[0].delta.content ?? '';
      usage += 'usage' in chunk ? 1 : 0;
    }
    return usage === 0 ? text : `usage came unasked ${usage} times`;
  });
  await attempt('tool', async () => {
    const tools = [{ type: 'function', function: { name: 'weather', parameters: schema } }];
    const call = (await chat(keys.good, 'hi', {}, { tools })).choices[0].message.tool_calls[0];
    return call.function.name + call.function.arguments;
  });
  await attempt('responses', async () => (await good.responses.create(hi)).output_text);
  await attempt('responses-stream', async () => {
    const kinds = [];
    const stream = await good.responses.create({ ...hi, stream: true });
    for await (const event of stream) kinds.push(event.type);
    return kinds.at(-1);
  });
  await attempt('embeddings', async () => {
    const answer = await good.embeddings.create({ model: 'text-embedding-3-small', input: 'hi' });
    return answer.data[0].embedding.length;
  });
  await refusals((key, text, options, more) => chat(key, text, options, more));
  await attempt('cut', async () => {
    for await (const chunk of await chat(keys.good, '[[sandbox:cut=1500]]', {}, { stream: true })) void chunk;
    return 'took a broken stream for a whole one';
  });
}

async function anthropic() {
  const { default: Anthropic } = await import('@anthropic-ai/sdk');
  const client = (key, options) => new Anthropic({ apiKey: key, baseURL: gate, ...options });
  const ask = (text, more) =>
    ({ model: 'claude-haiku-4-5', max_tokens: 64, messages: [{ role: 'user', content: text }], ...more });
  const message = (key, text, options, more) => client(key, options).messages.create(ask(text, more));
  await attempt('answer', async () => (await message(keys.good, 'hi')).content[0].text);
  await attempt('stream', async () => {
    const stream = client(keys.good).messages.stream(ask('hi'));
    return (await stream.finalMessage()).content[0].text;
  });
  await attempt('tool', async () => {
    const answer = await message(keys.good, 'hi', {}, { tools: [{ name: 'weather', input_schema: schema }] });
    return answer.content[0].name + JSON.stringify(answer.content[0].input);
  });
  await attempt('count', async () => {
    const { messages, model } = ask('hi');
    return (await client(keys.good).messages.countTokens({ messages, model })).input_tokens > 0;
  });
  await refusals(message);
  await attempt('cut', async () => {
    const stream = await message(keys.good, '[[sandbox:cut=1500]]', {}, { stream: true });
    for await (const event of stream) void event;
    return 'took a broken stream for a whole one';
  });
}

async function genai() {
  const { GoogleGenAI } = await import('@google/genai');
  const client = (key) => new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: gate } });
  const ask = (text, more) => ({ model: 'gemini-2.5-flash', contents: text, ...more });
  const content = (key, text, options, more) => client(key).models.generateContent(ask(text, more));
  await attempt('answer', async () => (await content(keys.good, 'hi')).text);
  await attempt('stream', async () => {
    let text = '';
    const stream = await client(keys.good).models.generateContentStream(ask('hi'));
    for await (const chunk of stream) text += chunk.text ?? '';
    return text;
  });
  await attempt('tool', async () => {
    const tools = [{ functionDeclarations: [{ name: 'weather', parametersJsonSchema: schema }] }];
    const call = (await content(keys.good, 'hi', {}, { config: { tools } })).functionCalls[0];
    return call.name + JSON.stringify(call.args);
  });
  await attempt('count', async () => (await client(keys.good).models.countTokens(ask('hi'))).totalTokens > 0);
  await refusals(content);
  await attempt('cut', async () => {
    const stream = await client(keys.good).models.generateContentStream(ask('[[sandbox:cut=1500]]'));
    for await (const chunk of stream) void chunk;
    return 'took a broken stream for a whole one';
  });
}

// The refusals that every SDK must show as its own typed errors.
async function refusals(ask) {
  await attempt('bad-key', () => ask(keys.bad, 'hi'));
  await attempt('scope', () => ask(keys.scoped, 'hi'));
  await attempt('budget', () => ask(keys.broke, 'hi'));
  await attempt('rate-first', async () => !!(await ask(keys.limited, 'hi')));
  await attempt('rate', () => ask(keys.limited, 'hi', { maxRetries: 0 }));
  await attempt('upstream', () => ask(keys.good, `[[sandbox:status=500,id=${sdk}]]`));
}

const drivers = { openai6: () => openai('openai6'), openai7: () => openai('openai7'), anthropic, genai };
await drivers[sdk]();
