// SPDX-License-Identifier: Apache-2.0
// `/v1/enrolments`: nodes that ask to be let in.

import AdminContract
import Foundation
import Hummingbird

extension AdminRoutes {
    static func addEnrolments(to v1: RouterGroup<BasicRequestContext>, _ backend: any AdminBackend) {
        v1.get("enrolments") { _, _ in try await json(backend.enrolments()) }
        v1.post("enrolments/:id/approve") { request, context in
            let node = request.uri.queryParameters["node"].map(String.init) ?? ""
            return try await decide(.approve(node: node), context, backend)
        }
        v1.post("enrolments/:id/reject") { _, context in try await decide(.reject, context, backend) }
        v1.delete("enrolments/:id") { _, context in try await decide(.forget, context, backend) }
    }

    private static func decide(
        _ decision: EnrolmentDecision, _ context: BasicRequestContext, _ backend: any AdminBackend
    ) async throws -> Response {
        let id = try context.parameters.require("id").removingPercentEncoding ?? ""
        return try json(try await refusals { try await backend.decide(decision, on: id) })
    }
}
