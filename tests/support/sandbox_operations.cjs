// The npm client of Talon.One performs the operations of one order against a sandbox, and writes what it got as JSON.
// An operation that the version of the client does not have is left out.
const TalonOne = require(process.argv[3]);

const client = TalonOne.ApiClient.instance;
client.basePath = process.argv[2];
client.authentications.api_key_v1.apiKeyPrefix = "ApiKey-v1";
client.authentications.api_key_v1.apiKey = "secret";
const api = new TalonOne.IntegrationApi();
const results = [];

const update = (session, opts = {}, id = "order 1/a") => api.updateCustomerSessionV2(id, TalonOne.IntegrationRequest.constructFromObject({
  customerSession: session, responseContent: ["customerSession", "customerProfile", "event", "previousReturns"],
}), opts);
const giveBack = (items, opts = {}) => api.returnCartItems("order 1/a", TalonOne.ReturnIntegrationRequest.constructFromObject({
  return: { returnedCartItems: items }, responseContent: ["customerSession", "previousReturns"],
}), opts);

async function step(name, call, read, operation = "updateCustomerSessionV2") {
  if (!api[operation]) return;
  try {
    const answer = await call();
    results.push([name, read(answer)]);
  } catch (error) {
    results.push([name, error.status === undefined ? (error.error || error).code || String(error) : [error.status, error.response.body.message]]);
  }
}

(async () => {
  const cart = [{ sku: "MUG", quantity: 3, price: 12.5 }];
  const state = (answer) => [answer instanceof TalonOne.IntegrationStateV2, answer.customerSession.state, answer.customerSession.total];
  await step("create", () => update({ cartItems: cart, profileId: "cust-7" }), (answer) => [...state(answer), answer.customerProfile.integrationId, answer.event.type]);
  await step("dry close", () => update({ state: "closed" }, { dry: true }), state);
  await step("refused close", () => update({ state: "closed", couponCodes: ["x".repeat(101)] }), state);
  await step("close", () => update({ state: "closed" }), state);
  await step("close again", () => update({ state: "closed" }), state);
  await step("get", () => api.getCustomerSession("order 1/a"), (answer) => [answer instanceof TalonOne.IntegrationCustomerSessionResponse, answer.customerSession.created instanceof Date, answer.customerSession.integrationId], "getCustomerSession");
  await step("reopen", () => api.reopenCustomerSession("order 1/a"), (answer) => answer.effects, "reopenCustomerSession");
  await step("close after reopening", () => update({ state: "closed" }), state, "reopenCustomerSession");
  await step("return", () => giveBack([{ position: 0, quantity: 1 }]), (answer) => answer.previousReturns.length, "returnCartItems");
  await step("second return", () => giveBack([{ position: 0, quantity: 1 }]), (answer) => answer.previousReturns.length, "returnCartItems");
  await step("reopen a return", () => api.reopenCustomerSession("order 1/a"), (answer) => answer.effects, "reopenCustomerSession");
  await step("cancel", () => update({ state: "cancelled" }), state);
  await step("unknown", () => api.getCustomerSession("nowhere"), state, "getCustomerSession");
  await step("profile", () => api.updateCustomerProfileV2("cust-7", TalonOne.CustomerProfileIntegrationRequestV2.constructFromObject({ attributes: { City: "Ghent" }, responseContent: ["customerProfile"] }), {}), (answer) => answer.customerProfile.attributes);
  await step("conflict", () => update({}, {}, "conflict"), state);
  await step("dropped", () => update({}, {}, "dropped"), state);
  process.stdout.write(JSON.stringify(results));
})();
