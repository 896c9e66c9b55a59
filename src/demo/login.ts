import { timingSafeEqual } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { APP, USER } from './parties.ts';

const ROUTE = /^\/interaction\/[\w-]{1,64}$/;
const MAX_FORM_BYTES = 4096;

/** The pages where a person signs in and consents: plain forms, one user, her password given at start. */
export function addLogin(provider: Provider, password: string): void {
  provider.use(async (ctx, next) => {
    if (!ROUTE.test(ctx.path)) return next();
    if (ctx.method === 'GET') return showForm(provider, ctx);
    if (ctx.method === 'POST') return takeForm(provider, ctx, password);
    ctx.status = 405;
  });
}

type Context = Pick<KoaContextWithOIDC, 'req' | 'res' | 'path' | 'status' | 'body' | 'redirect' | 'type'>;

async function showForm(provider: Provider, ctx: Context): Promise<void> {
  const { prompt } = await provider.interactionDetails(ctx.req, ctx.res);
  ctx.type = 'html';
  ctx.body =
    prompt.name === 'login'
      ? page('Sign in', '<input name="user"><input name="password" type="password"><button>Sign in</button>')
      : page(`Let ${APP.clientId} act for you?`, '<button name="consent" value="yes">Allow</button>');
}

async function takeForm(provider: Provider, ctx: Context, password: string): Promise<void> {
  const interaction = await provider.interactionDetails(ctx.req, ctx.res);
  const form = await readForm(ctx);
  if (interaction.prompt.name === 'login') {
    if (form.get('user') !== USER || !isSame(form.get('password') ?? '', password)) {
      ctx.status = 401;
      ctx.body = 'unknown user or wrong password';
      return;
    }
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { login: { accountId: USER } }));
    return;
  }
  if (form.get('consent') !== 'yes') {
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { error: 'access_denied' }));
    return;
  }
  const grantId = await grantWhatIsAsked(provider, interaction);
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { consent: { grantId } }));
}

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

async function grantWhatIsAsked(provider: Provider, { params, prompt, session }: Interaction): Promise<string> {
  const grant = new provider.Grant({ accountId: session?.accountId, clientId: String(params.client_id) });
  const { missingOIDCScope, missingResourceScopes } = prompt.details as {
    readonly missingOIDCScope?: string[];
    readonly missingResourceScopes?: Readonly<Record<string, string[]>>;
  };
  if (missingOIDCScope !== undefined) grant.addOIDCScope(missingOIDCScope.join(' '));
  for (const [resource, scopes] of Object.entries(missingResourceScopes ?? {}))
    grant.addResourceScope(resource, scopes.join(' '));
  return grant.save();
}

async function readForm({ req }: Context): Promise<URLSearchParams> {
  if (Number(req.headers['content-length'] ?? Number.POSITIVE_INFINITY) > MAX_FORM_BYTES) return new URLSearchParams();
  return new URLSearchParams(await text(req));
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const page = (title: string, fields: string): string =>
  `<!doctype html><title>${title}</title><h1>${title}</h1><form method="post">${fields}</form>`;
