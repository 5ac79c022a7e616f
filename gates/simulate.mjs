// Replays requests against policies with an evaluator of its own, for gates/permissions.py.
// Standard input: {"policies": {role: [document]}, "calls": [{role, action, resource, context}]};
// output: one verdict a call. Strict: a condition on a key that the call does not have fails.
import { readFileSync } from 'node:fs'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const ACCOUNT = '000000000000'
const { policies, calls } = JSON.parse(readFileSync(0, 'utf8'))
const verdicts = []
for (const { role, action, resource, context, resourcePolicy } of calls) {
  const answer = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/${role}`,
        action,
        resource: { resource, accountId: ACCOUNT },
        contextVariables: context
      },
      identityPolicies: policies[role].map((policy, index) => ({ name: `${index}`, policy })),
      resourcePolicy,
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      permissionBoundaryPolicies: undefined
    },
    { simulationMode: 'Strict' }
  )
  const result = answer.result?.analysis?.result ?? answer.analysis?.result ?? answer.overallResult
  verdicts.push(answer.errors ? `Error: ${JSON.stringify(answer.errors)}` : (result ?? JSON.stringify(answer).slice(0, 400)))
}
process.stdout.write(JSON.stringify(verdicts))
