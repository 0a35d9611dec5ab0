// SPDX-License-Identifier: Apache-2.0
// A request, its JSON printed as it is or as people read it, and failures as words and exit codes.

import ArgumentParser
import Foundation
import NIOHTTP1

extension Connection {
    /// Sends, decodes, prints.
    func run<View: Codable>(
        _ method: HTTPMethod, _ path: String, sending body: (any Encodable)? = nil, as type: View.Type,
        print text: (View) -> String
    ) async throws {
        let data = try await self.fetch(method, path, body: try body.map { try JSONEncoder().encode($0) })
        if self.json { return try Self.printJSON(data) }
        print(text(try Self.decode(type, data)))
    }

    func fetch(_ method: HTTPMethod, _ path: String, body: Data? = nil) async throws -> Data {
        do {
            return try await AdminClient(socket: self.socket).send(method, path, body: body)
        } catch {
            FileHandle.standardError.write(Data("bngctl: \(error)\n".utf8))
            if case .refused = error { throw ExitCode(1) }
            throw ExitCode(2)
        }
    }

    static func decode<View: Decodable>(_ type: View.Type, _ data: Data) throws -> View {
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            FileHandle.standardError.write(Data("bngctl: the controller's answer is not understood: \(error)\n".utf8))
            throw ExitCode(1)
        }
    }

    static func printJSON(_ data: Data) throws {
        FileHandle.standardOutput.write(data)
        if data.last != UInt8(ascii: "\n") { FileHandle.standardOutput.write(Data("\n".utf8)) }
    }
}

/// Percent-encodes a value of a path or a query.
func encoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~"))) ?? ""
}
