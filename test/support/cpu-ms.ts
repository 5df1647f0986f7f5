/** What this process has used: what others do meanwhile, on a busy machine, does not count. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
