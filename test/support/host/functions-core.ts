/**
 * A stand-in for `@azure/functions-core`, the module that the Functions worker injects: enough of it
 * for `@azure/functions` to register functions and to run its own HTTP proxy and invocations.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import Module from 'node:module';

/** A binding as the library registers it. */
export interface Binding {
  readonly type: string;
  readonly direction: 'in' | 'out';
  readonly route?: string;
  readonly methods?: readonly string[];
  readonly authLevel?: string;
  readonly schedule?: string;
  readonly queueName?: string;
  readonly connection?: string;
}

export interface FunctionMetadata {
  readonly name: string;
  readonly bindings: Readonly<Record<string, Binding>>;
}

type Callback = (...args: unknown[]) => unknown;

export interface RegisteredFunction {
  readonly metadata: FunctionMetadata;
  readonly callback: Callback;
}

interface Invocation {
  readonly invocationId: string;
  /** Path parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
}

interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: Callback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<unknown>;
}

interface ProgrammingModel {
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
  getInvocationModel(context: unknown): InvocationModel;
}

const moduleName = '@azure/functions-core';

/** What the worker knows of one app. */
export class FunctionsCore {
  readonly functions: RegisteredFunction[] = [];
  readonly timers: RegisteredFunction[] = [];
  readonly queues: RegisteredFunction[] = [];
  /** What invocations failed with, in order. */
  readonly failures: unknown[] = [];
  readonly #appStartHooks: Callback[] = [];
  #model: ProgrammingModel | undefined;
  #proxy: Promise<string> | undefined;

  /** The module as `@azure/functions` requires it. */
  readonly module = {
    version: '3.0.0',
    hostVersion: '4.1046.100',
    log: () => undefined,
    registerFunction: (metadata: FunctionMetadata, callback: Callback) => {
      if (this.functions.some(({ metadata: { name } }) => name === metadata.name)) {
        throw new Error(`A function named ${metadata.name} is registered already.`);
      }
      const types = Object.values(metadata.bindings).map(({ type }) => type);
      const kind = types.includes('timerTrigger')
        ? this.timers
        : types.includes('queueTrigger')
          ? this.queues
          : this.functions;
      kind.push({ metadata, callback });
      return { dispose: () => undefined };
    },
    registerHook: (name: string, callback: Callback) => {
      if (name === 'appStart') this.#appStartHooks.push(callback);
      return { dispose: () => undefined };
    },
    setProgrammingModel: (model: ProgrammingModel) => {
      this.#model = model;
    },
    getProgrammingModel: () => this.#model,
  };

  /** The HTTP trigger of a function, and the name of its binding. */
  static trigger({ metadata }: RegisteredFunction): readonly [string, Binding] {
    const found = Object.entries(metadata.bindings).find(([, { type }]) => type === 'httpTrigger');
    if (found === undefined) throw new Error(`${metadata.name} has no HTTP trigger.`);
    return found;
  }

  /** Starts the library's proxy, once; returns its URL. It does not keep the process alive. */
  async start(): Promise<string> {
    this.#proxy ??= this.#startProxy();
    return await this.#proxy;
  }

  async #startProxy(): Promise<string> {
    for (const hook of this.#appStartHooks) await hook({});
    const channel = 'tracing:net.server.listen:asyncStart';
    const release = (message: unknown) => {
      (message as { server: Server }).server.unref();
    };
    subscribe(channel, release);
    const { HttpUri } = await this.#registeredModel().getCapabilities({});
    unsubscribe(channel, release);
    if (HttpUri === undefined) throw new Error('The app does not stream: no proxy was started.');
    return HttpUri;
  }

  /** Runs a function for the request that the proxy gets with the same invocation id. */
  async invoke(invoked: RegisteredFunction, invocation: Invocation): Promise<void> {
    const { invocationId, params, headers } = invocation;
    const [binding] = FunctionsCore.trigger(invoked);
    const strings = Object.entries(params).map(([name, value]) => [name, { string: value }]);
    const model = this.#registeredModel().getInvocationModel({
      invocationId,
      metadata: invoked.metadata,
      request: {
        inputData: [{ name: binding, data: {} }],
        triggerMetadata: {
          ...(Object.fromEntries(strings) as object),
          Headers: { json: JSON.stringify(headers) },
        },
      },
      log: () => undefined,
      state: undefined,
    });
    try {
      const { context, inputs } = await model.getArguments();
      const result = await model.invokeFunction(context, inputs, invoked.callback);
      await model.getResponse(context, result);
    } catch (error) {
      this.failures.push(error);
      throw error;
    }
  }

  /** Delivers a message to a function with a queue trigger, as the host does: text or parsed JSON. */
  async deliver(invoked: RegisteredFunction, message: string | object): Promise<void> {
    const [binding = ''] = Object.keys(invoked.metadata.bindings);
    const data =
      typeof message === 'string' ? { string: message } : { json: JSON.stringify(message) };
    const model = this.#registeredModel().getInvocationModel({
      invocationId: 'delivery',
      metadata: invoked.metadata,
      request: { inputData: [{ name: binding, data }], triggerMetadata: {} },
      log: () => undefined,
      state: undefined,
    });
    const { context, inputs } = await model.getArguments();
    await model.invokeFunction(context, inputs, invoked.callback);
  }

  #registeredModel(): ProgrammingModel {
    if (this.#model === undefined) throw new Error('No function has been registered.');
    return this.#model;
  }
}

/** Makes jest answer `require('@azure/functions-core')`, in modules loaded from now on. */
export function injectIntoJest(
  core: FunctionsCore,
  jest: { doMock(name: string, factory: () => unknown, options: { virtual: boolean }): unknown },
): void {
  jest.doMock(moduleName, (): unknown => core.module, { virtual: true });
}

/** Makes Node answer `require('@azure/functions-core')`, as the worker does. */
export function injectIntoNode(core: FunctionsCore): void {
  type Require = (this: unknown, id: string) => unknown;
  const prototype = Module.prototype as { require: Require };
  const load = prototype.require;
  prototype.require = function require(id) {
    return id === moduleName ? core.module : load.call(this, id);
  };
}
