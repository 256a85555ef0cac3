/** A class that may be called without `new` as well. */
export type Callable<Class extends new (...args: never[]) => object> = Class &
  ((...args: ConstructorParameters<Class>) => InstanceType<Class>);

/** The same class, for programs that call it as the functions of its time were: instances and subclasses are those of the class itself. */
export function callable<Class extends new (...args: never[]) => object>(type: Class): Callable<Class> {
  const both = new Proxy(type, {
    apply: (target, _this, args: ConstructorParameters<Class>) => new target(...args),
  }) as Callable<Class>;
  Object.defineProperty(type.prototype, 'constructor', { value: both, configurable: true, writable: true });
  return both;
}
