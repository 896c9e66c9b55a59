import type { FastifySchemaCompiler } from 'fastify';
import Type, { type TObject, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { QueryProblem } from './problem.ts';

/**
 * Fastify's validator: takes parameters as text, reads whole numbers where the schema has them, refuses what the schema does
 * not name. The message names the parameter and the rule, and never repeats the value: it may be a person's id.
 */
export const compileParameters: FastifySchemaCompiler<TSchema> = ({ schema }) => {
  const shape = schema as TObject;
  const checker = Compile(shape);
  return (given: unknown) => {
    try {
      const value = readNumbers(once(given), shape);
      if (checker.Check(value)) return { value };
      return { error: missing(value, shape) ?? unknown(value, shape) ?? complaint(checker.Errors(value), shape) };
    } catch (error) {
      if (error instanceof QueryProblem) return { error };
      throw error;
    }
  };
};

function once(given: unknown): Readonly<Record<string, unknown>> {
  const values = Object.entries(given ?? {});
  const repeated = values.find(([, value]) => typeof value !== 'string');
  if (repeated === undefined) return Object.fromEntries(values);
  throw new QueryProblem('invalid_parameter', `${shown(repeated[0])}: expected it once, got it several times`);
}

function readNumbers(given: Readonly<Record<string, unknown>>, { properties }: TObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      const isNumber = Object.hasOwn(properties, name) && Type.IsInteger(properties[name]);
      return [name, isNumber && /^\d{1,9}$/.test(String(value)) ? Number(value) : value];
    }),
  );
}

function missing(given: Readonly<Record<string, unknown>>, shape: TObject): QueryProblem | undefined {
  const name = (shape.required ?? []).find((each) => !Object.hasOwn(given, each));
  if (name === undefined) return undefined;
  return new QueryProblem('invalid_parameter', `${name}: expected it, got none${describe(shape, name)}`);
}

function describe({ properties }: TObject, name: string): string {
  const { description } = properties[name] as { description?: string };
  return description === undefined ? '' : `; it is ${description}`;
}

function complaint(
  errors: readonly { readonly instancePath: string; readonly message: string }[],
  shape: TObject,
): QueryProblem {
  const names = Object.keys(shape.properties);
  const [first] = errors.filter(({ instancePath }) => names.some((name) => instancePath === `/${name}`));
  if (first !== undefined) {
    const name = first.instancePath.slice(1);
    return new QueryProblem('invalid_parameter', `${name}: ${first.message}${describe(shape, name)}`);
  }
  return new QueryProblem('invalid_parameter', 'the parameters do not fit together');
}

function unknown(given: Readonly<Record<string, unknown>>, { properties }: TObject): QueryProblem | undefined {
  const name = Object.keys(given).find((each) => !Object.hasOwn(properties, each));
  if (name === undefined) return undefined;
  const names = Object.keys(properties);
  const known = names.length === 0 ? 'this address takes none' : `known are ${names.join(', ')}`;
  // A value that was sent as a name is not repeated either: only what reads as a word is.
  const which = /^[A-Za-z_-]{1,40}$/.test(name) ? shown(name) : 'a parameter';
  return new QueryProblem('unknown_parameter', `${which} is not known here; ${known}`);
}

const shown = (name: string): string => JSON.stringify(name.slice(0, 40));
