// SPDX-License-Identifier: Apache-2.0
// Digests of families and of objects, for a controller that compares.
#include "agent.h"

#include "log.h"

void bng_audit_summary_send(struct bng_agent *agent, uint64_t request_id)
{
	Bng__Agent__V1__AuditSummary summary = BNG__AGENT__V1__AUDIT_SUMMARY__INIT;
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;
	Bng__Agent__V1__FamilyDigest families[BNG_FAMILIES], *list[BNG_FAMILIES];
	uint8_t digests[BNG_FAMILIES][BNG_DIGEST_SIZE];
	int i;

	for (i = 1; i < BNG_FAMILIES; i++) {
		bng__agent__v1__family_digest__init(&families[i]);
		bng_digest_sum_bytes(&agent->state.digests[i], digests[i]);
		families[i].family = (Bng__Agent__V1__Family)i;
		families[i].count = agent->state.digests[i].count;
		families[i].digest = (ProtobufCBinaryData){.len = BNG_DIGEST_SIZE, .data = digests[i]};
		list[i - 1] = &families[i];
	}
	summary.request_id = request_id;
	summary.n_families = BNG_FAMILIES - 1;
	summary.families = list;
	frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_AUDIT_SUMMARY;
	frame.audit_summary = &summary;
	bng_lanes_send(agent, BNG_LANE_STATE, &frame);
}

void bng_audit_page_send(struct bng_agent *agent, const Bng__Agent__V1__AuditPageRequest *request)
{
	static Bng__Agent__V1__AuditEntry entries[BNG_BATCH_ITEMS_MAX], *list[BNG_BATCH_ITEMS_MAX];
	Bng__Agent__V1__AuditPage page = BNG__AGENT__V1__AUDIT_PAGE__INIT;
	Bng__Agent__V1__AgentFrame frame = BNG__AGENT__V1__AGENT_FRAME__INIT;
	const struct bng_object *const *objects;
	size_t count, i;

	if (bng_audit_page(&agent->audit, &agent->state, (enum bng_family)request->family,
		    request->after_object_id, &objects, &count)) {
		bng_link_notify(&agent->link, BNG_LANE_STATE, BNG__AGENT__V1__ERROR_CODE__ERROR_CODE_OVERLOAD,
			"out of memory");
		return;
	}
	for (i = 0; i < count && i < request->limit; i++) {
		bng__agent__v1__audit_entry__init(&entries[i]);
		entries[i].object_id = objects[i]->id;
		entries[i].generation = objects[i]->generation;
		entries[i].digest = (ProtobufCBinaryData){
			.len = BNG_DIGEST_SIZE,
			.data = (uint8_t *)(uintptr_t)objects[i]->digest,
		};
		list[i] = &entries[i];
	}
	page.request_id = request->request_id;
	page.family = request->family;
	page.n_entries = i;
	page.entries = list;
	page.last = i == count;
	frame.body_case = BNG__AGENT__V1__AGENT_FRAME__BODY_AUDIT_PAGE;
	frame.audit_page = &page;
	bng_lanes_send(agent, BNG_LANE_STATE, &frame);
}
