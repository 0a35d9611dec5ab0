// SPDX-License-Identifier: Apache-2.0
// `/v1/sessions/ID/forwards`: the port forwards of a session.

import AdminContract
import Foundation
import Hummingbird

extension AdminRoutes {
    static func addForwards(to v1: RouterGroup<BasicRequestContext>, _ backend: any AdminBackend) {
        v1.get("sessions/:id/forwards") { _, context in
            let id = try context.parameters.require("id")
            guard let forwards = try await backend.forwards(of: id) else { throw unknown(session: id) }
            return try json(forwards)
        }
        v1.put("sessions/:id/forwards/:forward") { _, context in
            let (id, text) = try parts(context)
            guard try await refusals({ try await backend.forward(text, to: id) }) else { throw unknown(session: id) }
            return try json(ActionView(message: "\(text) of session \(id) is forwarded", count: 1))
        }
        v1.delete("sessions/:id/forwards/:forward") { _, context in
            let (id, text) = try parts(context)
            guard try await refusals({ try await backend.unforward(text, of: id) }) else { throw unknown(session: id) }
            return try json(ActionView(message: "\(text) of session \(id) is no longer forwarded", count: 1))
        }
    }

    private static func parts(_ context: BasicRequestContext) throws -> (id: String, text: String) {
        let text = try context.parameters.require("forward").removingPercentEncoding
        return (try context.parameters.require("id"), text ?? "")
    }

    private static func unknown(session id: String) -> HTTPError {
        HTTPError(.notFound, message: "there is no live session \(id)")
    }
}
