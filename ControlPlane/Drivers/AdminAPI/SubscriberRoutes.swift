// SPDX-License-Identifier: Apache-2.0
// `/v1/subscribers` and `/v1/password-records`: the local directory over HTTP.

import AdminContract
import Foundation
import Hummingbird

extension AdminRoutes {
    /// Bytes of a body at most.
    static let bodyLimit = 65_536

    static func addSubscribers(to v1: RouterGroup<BasicRequestContext>, _ backend: any AdminBackend) {
        v1.get("subscribers") { request, _ in
            let limit = try number(request, "limit", 1...1_000)
            let after = request.uri.queryParameters["after"].map(String.init)
            return try await json(backend.subscribers(after: after, limit: Int(limit ?? 100)))
        }
        v1.get("subscribers/:name") { _, context in
            let name = try name(context)
            guard let subscriber = try await backend.subscriber(name) else { throw unknown(name) }
            return try json(subscriber)
        }
        v1.put("subscribers/:name") { request, context in
            let settings = try await body(request, SubscriberSettings.self, SubscriberSettings.CodingKeys.self)
            let name = try name(context)
            return try json(try await refusals { try await backend.addSubscriber(name, settings) })
        }
        v1.patch("subscribers/:name") { request, context in
            let settings = try await body(request, SubscriberSettings.self, SubscriberSettings.CodingKeys.self)
            let name = try name(context)
            return try json(try await refusals { try await backend.changeSubscriber(name, settings) })
        }
        v1.delete("subscribers/:name") { _, context in
            let name = try name(context)
            try await refusals { try await backend.removeSubscriber(name) }
            return try json(ActionView(message: "subscriber \(name) is deleted", count: 1))
        }
        v1.post("password-records") { request, _ in
            let password = try await body(request, PasswordRequest.self, PasswordRequest.CodingKeys.self)
            return try json(try await refusals { try await backend.passwordRecord(password) })
        }
    }

    /// A user name may hold anything, `/` included: it comes percent-encoded.
    private static func name(_ context: BasicRequestContext) throws -> String {
        guard let name = try context.parameters.require("name").removingPercentEncoding, !name.isEmpty else {
            throw HTTPError(.badRequest, message: "the name: expected percent-encoded UTF-8")
        }
        return name
    }

    private static func unknown(_ name: String) -> HTTPError {
        HTTPError(.notFound, message: AdminRefusal.unknownSubscriber(name).description)
    }

    static func refusals<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let refusal as AdminRefusal {
            switch refusal {
            case .invalid(let words): throw HTTPError(.badRequest, message: words)
            case .conflict(let words): throw HTTPError(.conflict, message: words)
            case .unknownSubscriber(let name): throw unknown(name)
            }
        }
    }

    /// A JSON object with known keys only. What is wrong is said without repeating values: one may be a password.
    private static func body<Value: Decodable, Key: CodingKey & CaseIterable>(
        _ request: Request, _ type: Value.Type, _ keys: Key.Type
    ) async throws -> Value {
        let data = Data(buffer: try await request.body.collect(upTo: self.bodyLimit))
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw HTTPError(.badRequest, message: "the body: expected a JSON object")
        }
        let known = Key.allCases.map(\.stringValue)
        if let unknown = object.keys.sorted().first(where: { !known.contains($0) }) {
            throw HTTPError(
                .badRequest, message: "unknown key \(unknown): expected \(known.joined(separator: ", "))")
        }
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch let DecodingError.typeMismatch(_, context) {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw HTTPError(.badRequest, message: "\(path): a value of another type is expected")
        } catch let DecodingError.keyNotFound(key, _) {
            throw HTTPError(.badRequest, message: "\(key.stringValue) is missing")
        } catch {
            throw HTTPError(.badRequest, message: "the body is not understood")
        }
    }
}
