// SPDX-License-Identifier: Apache-2.0
// Nodes that enrol, for the operator API.

import AdminAPI
import AdminContract
import AgentContract
import BNGCore
import Fleet

extension ControllerBackend {
    func enrolments() async throws -> [EnrolmentView] { self.controller.identities.enrolments() }

    func decide(_ decision: EnrolmentDecision, on id: String) async throws -> ActionView {
        let identities = self.controller.identities
        let (entry, ended): (NodeEnrolment, Set<NodeName>)
        let words: String
        switch decision {
        case .approve(let node):
            (entry, ended) = try await identities.approve(id, as: node)
            words = "approved"
        case .reject:
            (entry, ended) = try await identities.reject(id)
            words = "rejected; its certificates do not count any more"
        case .forget:
            (entry, ended) = try await identities.forget(id)
            words = "forgotten; its certificates do not count any more"
        }
        for node in ended {
            await self.controller.server.dismiss(
                node: node, ContractError(.notApproved, "the node's certificate was revoked"))
        }
        return ActionView(message: "\(entry.fingerprint.prefix(16)) is \(words)", count: 1)
    }
}
